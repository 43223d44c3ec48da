// Builds the newest content version as the site does, and returns what fails and what is degraded.

import { listPostFiles } from "#lib/posts/source/content-source.ts";
import { CatalogBuild } from "./catalog-build.ts";
import { listWarnings } from "./catalog-status.ts";
import type { CatalogContext } from "./parsed-post.ts";
import { findPublishedPost } from "./published-index.ts";

export interface ContentReport {
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

/** Never throws for a broken post. Throws AppError(unavailable) if the content can't be read. */
export async function checkContent(
  context: CatalogContext,
  workers: number,
): Promise<ContentReport> {
  const startedMs = performance.now();
  const version = await context.source.getHead();
  const build = await CatalogBuild.start({
    version,
    context,
    publishedIndex: null,
    previousFailures: new Map(),
    findPreviousVersion: () => Promise.resolve(null),
    workers,
  });
  const published = await build.compileAll(() => true);
  const fileWarnings = await build.checkFiles(() => true);
  const embeds = new Map<string, string[]>();
  for (const { id, file } of published.parsedPosts.values())
    for (const url of findPublishedPost(published, id)?.compiled.embeds ?? [])
      embeds.set(url, [...(embeds.get(url) ?? []), file.path]);
  const posts = listPostFiles(await context.source.listFiles(version)).length;
  const failed = [...build.failures.values()].map(({ file, line, reason }) => ({
    file,
    line,
    reason,
  }));
  return {
    posts,
    ok: posts - failed.length,
    failed: failed.sort((a, b) => (a.file < b.file ? -1 : 1)),
    warnings: [...listWarnings(published), ...fileWarnings],
    embeds,
    ms: Math.round(performance.now() - startedMs),
  };
}

/** Returns the report for people: warnings, failures, and "N of M posts compile". */
export function formatReportLines(report: ContentReport): string[] {
  const { posts, ok, failed, warnings } = report;
  return [
    ...warnings.map((warning) => warning.replace(/^(.*?:\d+): /, "$1: warning: ")),
    ...failed.map(({ file, line, reason }) => `${file}:${line}: ${reason}`),
    `${ok} of ${posts} posts compile${warnings.length > 0 ? ` (warnings: ${warnings.length})` : ""}`,
  ];
}

/** Returns the report for programs, as one line of JSON. */
export function formatReportJson({ posts, ok, failed, warnings, ms }: ContentReport): string {
  return JSON.stringify({ posts, ok, failed, warnings, ms });
}
