// Describes the catalog's status for admins: what is published, what is being compiled, and what
// fails.

import type { BuildProgress, PostFailure } from "./catalog-build.ts";
import { type PublishedIndex, findPublishedPost } from "./published-index.ts";

export interface CatalogStatus {
  readonly source: "disk" | "git";
  /** Why the source cannot be reached, as a sentence; null if it can. */
  readonly sourceProblem: string | null;
  /** The published version, and the version that this instance serves. */
  readonly publishedVersion: string | null;
  readonly servedVersion: string | null;
  readonly compilerVersion: string;
  readonly key: string;
  readonly posts: number;
  readonly pages: number;
  /** The number of posts that wait for their first compile. */
  readonly pendingCount: number;
  /** The running build, or null. */
  readonly buildProgress: BuildProgress | null;
  /** Why the published version is not served; null if it is. */
  readonly problem: {
    readonly reason: string;
    readonly sinceMs: number;
    readonly retryAtMs: number;
  } | null;
  readonly failures: readonly PostFailure[];
  /** Constructs that were degraded or ignored: "file: line N: …". */
  readonly warnings: readonly string[];
}

/** Returns the warnings of all posts, as "file: line N: …". */
export function listWarnings(published: PublishedIndex): string[] {
  return [...published.parsedPosts.values()].flatMap(({ id, file, warnings }) => [
    ...warnings.map((warning) => `${file.path}: ${warning}`),
    ...(findPublishedPost(published, id)?.compiled.warnings ?? []),
  ]);
}
