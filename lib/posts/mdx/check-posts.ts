// Tries to compile many posts and says which don't, where and why.

import { isAppError } from "#lib/core/errors.ts";
import type { PostProblem } from "#lib/posts/post-error.ts";
import type { CompiledPost, CompileInput } from "./compiled-post.ts";

/** A post to try, or the reason why it can't even be read. */
export type CheckItem =
  | {
      readonly input: CompileInput;
      /** From reading the front matter: "line N: what". */ readonly warnings: readonly string[];
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
  /** "file:line: what". */
  readonly warnings: readonly string[];
  /** URLs that became cards, with the files that show them. */
  readonly embeds: ReadonlyMap<string, readonly string[]>;
  /** Wall time in ms. */
  readonly ms: number;
}

/** Compiles every item with `compile`, which says itself how many it takes at once. Nothing that is wrong with a post is thrown. */
export async function checkPosts(
  items: readonly CheckItem[],
  compile: (input: CompileInput) => Promise<CompiledPost>,
): Promise<CheckReport> {
  const since = performance.now();
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
    ms: Math.round(performance.now() - since),
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

/** The report for a person: warnings, failures, and last "N of M posts compile". */
export function formatReportLines(report: CheckReport): string[] {
  return [
    ...report.warnings.map((warning) => warning.replace(/^(.*?:\d+): /, "$1: warning: ")),
    ...report.failed.map(({ file, line, reason }) => `${file}:${line}: ${reason}`),
    `${report.ok} of ${report.posts} posts compile`,
  ];
}

/** The report for a program, in one line. */
export function formatReportJson({ posts, ok, failed, warnings, ms }: CheckReport): string {
  return JSON.stringify({ posts, ok, failed, warnings, ms });
}
