// Reads, checks and compiles a post without any cache, and measures each stage.

import { listPostFiles } from "#lib/posts/source/content-source.ts";
import {
  type CatalogContext,
  compileParsedPost,
  findPostProblem,
  loadParsedPost,
} from "./parsed-post.ts";
import { indexByPath } from "./post-images.ts";

export interface FreshCompile {
  readonly file: string;
  /** Milliseconds per stage, including reading and front matter. */
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
  readonly totalMs: number;
  readonly warnings: readonly string[];
  readonly problem: { readonly line: number; readonly reason: string } | null;
}

/** Returns null if `version` has no post `slug` and no post at `path`. */
export async function compileFreshPost(
  { slug, path }: { slug: string; path: string | undefined },
  version: string,
  context: CatalogContext,
): Promise<FreshCompile | null> {
  const files = await context.source.listFiles(version);
  const file = listPostFiles(files).find(
    (each) => each.kind === "post" && (path ? each.path === path : each.slug === slug),
  );
  if (!file) return null;
  const startedMs = performance.now();
  const stages: { name: string; ms: number }[] = [];
  const finish = (warnings: readonly string[], problem: FreshCompile["problem"]) => ({
    file: file.path,
    stages,
    totalMs: performance.now() - startedMs,
    warnings,
    problem,
  });
  try {
    const parsed = await loadParsedPost(file, version, indexByPath(files), context);
    const parseMs = performance.now() - startedMs;
    stages.push({ name: "read, front matter", ms: parseMs });
    const compiled = await compileParsedPost(parsed);
    const result = finish([...parsed.warnings, ...compiled.warnings], null);
    const compileMs = compiled.stages.reduce((sum, { ms }) => sum + ms, 0);
    stages.push(...compiled.stages, {
      name: "images, waiting for the worker",
      ms: Math.max(0, result.totalMs - parseMs - compileMs),
    });
    return result;
  } catch (error) {
    const problem = findPostProblem(error);
    if (!problem) throw error;
    return finish([], { line: problem.line, reason: problem.reason });
  }
}
