// Three posts to read next, as cards.

import { type PageData, viewerKey } from "#lib/posts/page-data.ts";
import type { PostCardData } from "./post-card.tsx";
import { type PostIndex, toPostSummary } from "#lib/posts/post.ts";
import { recommendPosts } from "#lib/posts/recommend.ts";

/** For after the post at `slug`, or after none. */
export function recommendationCards(
  index: PostIndex,
  { viewer, readSlugs, startOfDayTotals, nowMs, leadingTeams }: PageData,
  slug: string | null,
): PostCardData[] {
  return recommendPosts(index, {
    slug,
    reader: { key: viewerKey(viewer), readSlugs },
    totals: startOfDayTotals,
    nowMs,
  }).map((post) => ({
    post: toPostSummary(post),
    leader: leadingTeams.get(post.slug) ?? null,
    read: readSlugs.has(post.slug),
  }));
}
