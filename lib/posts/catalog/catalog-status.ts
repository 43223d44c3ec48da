// Describes the catalog's status for admins: what is published, what is being compiled, and what
// fails.

import { SECOND_MS, nowMs } from "#lib/core/clock.ts";
import type { ContentOutage } from "#lib/http/content-outage.ts";
import type { BuildProgress, PostFailure } from "./catalog-build.ts";
import type { ContentVersionSource } from "./content-version-source.ts";
import { findBrokenLinks } from "#lib/posts/addresses/check-links.ts";
import { type PublishedIndex, findPublishedPost, isPublicFile } from "./published-index.ts";
import type { VersionProblem } from "./retry-policy.ts";

const MIN_RETRY_AFTER_SECONDS = 5;

export interface CatalogStatus {
  readonly source: "disk" | "git";
  /** Why the source cannot be reached, as a sentence; null if it can. */
  readonly sourceProblem: string | null;
  /** The published version, and the version that this instance serves. */
  readonly publishedVersion: string | null;
  readonly servedVersion: string | null;
  readonly compilerVersion: string;
  /** Without scheduled posts. */
  readonly posts: number;
  readonly pages: number;
  /** Posts that readers can't see yet, in the order in which they go live. */
  readonly scheduled: readonly {
    readonly slug: string;
    readonly title: string;
    readonly goLiveMs: number;
  }[];
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
  /** Constructs that were degraded or ignored: "file:line: reason". */
  readonly warnings: readonly string[];
}

/** Returns the warnings of all posts, as "file:line: reason". */
export function listWarnings(published: PublishedIndex): string[] {
  const ofPosts = [...published.parsedPosts.values()].flatMap(({ id, file, warnings }) => [
    ...warnings.map((warning) => `${file.path}:${warning.replace(/^line (\d+):/, "$1:")}`),
    ...(findPublishedPost(published, id)?.compiled.warnings ?? []),
  ]);
  const { allAddresses, allPosts, pages } = published;
  const posts = [...allPosts.posts, ...pages.values()];
  return [
    ...ofPosts,
    ...allAddresses.warnings,
    ...findBrokenLinks(posts, allAddresses, isPublicFile),
  ];
}

/**
 * Describes why nothing is published. The reason is public, so it names no host, repository or
 * folder: the log does.
 */
export function describeOutage(
  source: ContentVersionSource,
  problem: VersionProblem | null,
): ContentOutage {
  const waitMs = (problem?.retryAtMs ?? 0) - nowMs();
  return {
    reason: problem ? describeProblem(source) : "The posts are being prepared.",
    retryAfterSeconds: Math.max(MIN_RETRY_AFTER_SECONDS, Math.ceil(waitMs / SECOND_MS)),
  };
}

function describeProblem(source: ContentVersionSource): string {
  if (source.kind === "disk") return "The content folder can’t be read.";
  return source.findProblem() === null
    ? "No version of the content can be read."
    : "The Git host can’t be reached.";
}
