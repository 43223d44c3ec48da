// Picks three posts to read next, as card data.

import { type PageData, viewerKey } from "#lib/posts/page-data.ts";
import type { PostCardData } from "./post-card.tsx";
import { type PostIndex, toPostSummary } from "#lib/posts/post.ts";
import { recommendPosts } from "#lib/posts/recommend.ts";
import { inReadersLanguage } from "#lib/posts/translations.ts";

/** Returns the cards after the post at `slug`, or for null after no post, in these languages. */
export function recommendationCards(
  index: PostIndex,
  { viewer, readSlugs, startOfDayTotals, nowMs, leadingTeams }: PageData,
  slug: string | null,
  languages: readonly string[] = [],
): PostCardData[] {
  return recommendPosts(index, {
    slug,
    reader: { key: viewerKey(viewer), readSlugs },
    totals: startOfDayTotals,
    nowMs,
  }).map((post) => ({
    post: toPostSummary(inReadersLanguage(index, post, languages)),
    leadingTeams: leadingTeams.get(post.slug) ?? [],
    isRead: readSlugs.has(post.slug),
  }));
}
