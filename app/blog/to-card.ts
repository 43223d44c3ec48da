// Builds the data of a post's card for a viewer.

import type { PostCardData } from "#components/post/post-card.tsx";
import type { PageData } from "#lib/posts/page-data.ts";
import { type Post, toPostSummary } from "#lib/posts/post.ts";
import { publicationMs } from "#lib/posts/post-dates.ts";

/** `previousVisitMs`: when the member's previous visit ended, or null. */
export function toCard(
  post: Post,
  data: Pick<PageData, "leadingTeams" | "readSlugs" | "viewer">,
  previousVisitMs: number | null = null,
): PostCardData {
  const isRead = data.readSlugs.has(post.slug);
  return {
    post: toPostSummary(post),
    leadingTeams: data.leadingTeams.get(post.slug) ?? [],
    isRead,
    isNew:
      !isRead &&
      data.viewer.member !== null &&
      previousVisitMs !== null &&
      publicationMs(post) > previousVisitMs,
  };
}
