// Compiles many posts and reports which ones fail, where and why.

import { isAppError } from "#lib/core/errors.ts";
import type { PostProblem } from "#lib/posts/post-error.ts";
import type { CompiledPost, CompileInput } from "./compiled-post.ts";

/** A post to compile, or the reason why it cannot be parsed. */
export type CheckItem =
  | {
      readonly input: CompileInput;
      /** Front matter warnings, as "line N: reason". */
      readonly warnings: readonly string[];
    }
  | { readonly problem: PostProblem };

export interface CheckReport {
  readonly posts: number;
  readonly ok: number;
  readonly failed: readonly {
    readonly file: string;
    readonly line: number;
    readonly reason: string;
  }[];
  /** "file:line: reason". */
  readonly warnings: readonly string[];
  /** Embedded URLs, with the files that embed them. */
  readonly embeds: ReadonlyMap<string, readonly string[]>;
  /** Wall time in ms. */
  readonly ms: number;
}

/**
 * Compiles every item with `compile`, which must limit concurrency. Never throws for a broken post.
 */
export async function checkPosts(
  items: readonly CheckItem[],
  compile: (input: CompileInput) => Promise<CompiledPost>,
): Promise<CheckReport> {
  const startedMs = performance.now();
  const results = await Promise.all(items.map((item) => checkPost(item, compile)));
  const embeds = new Map<string, string[]>();
  for (const { file, urls } of results)
    for (const url of urls) embeds.set(url, [...(embeds.get(url) ?? []), file]);
  const failed = results.flatMap(({ failure }) => (failure ? [failure] : []));
  return {
    posts: results.length,
    ok: results.length - failed.length,
    failed,
    warnings: results.flatMap(({ warnings }) => warnings),
    embeds,
    ms: Math.round(performance.now() - startedMs),
  };
}

interface PostCheckResult {
  file: string;
  failure?: { file: string; line: number; reason: string };
  warnings: string[];
  urls: readonly string[];
}

async function checkPost(
  item: CheckItem,
  compile: (input: CompileInput) => Promise<CompiledPost>,
): Promise<PostCheckResult> {
  if ("problem" in item)
    return { file: item.problem.file, failure: toFailure(item.problem), warnings: [], urls: [] };
  const { file, bodyLine } = item.input;
  const warnings = item.warnings.map(
    (warning) => `${file}:${warning.replace(/^line (\d+):/, "$1:")}`,
  );
  try {
    const post = await compile(item.input);
    return { file, warnings: [...warnings, ...post.warnings], urls: post.embeds };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const problem =
      "problem" in error
        ? (error.problem as PostProblem)
        : { file, line: bodyLine, reason: error.message };
    return { file, failure: toFailure(problem), warnings, urls: [] };
  }
}

const toFailure = ({ file, line, reason }: PostProblem) => ({ file, line, reason });

/** Returns the report for people: warnings, failures, and "N of M posts compile". */
export function formatReportLines(report: CheckReport): string[] {
  return [
    ...report.warnings.map((warning) => warning.replace(/^(.*?:\d+): /, "$1: warning: ")),
    ...report.failed.map(({ file, line, reason }) => `${file}:${line}: ${reason}`),
    `${report.ok} of ${report.posts} posts compile`,
  ];
}

/** Returns the report for programs, as one line of JSON. */
export function formatReportJson({ posts, ok, failed, warnings, ms }: CheckReport): string {
  return JSON.stringify({ posts, ok, failed, warnings, ms });
}
