// Three posts to read next, as cards.

import { type ReadingData, readerKey } from "./reading-data.ts";
import type { CardPost } from "#components/post/post-card.tsx";
import { type PostIndex, summaryOf } from "#lib/posts/post.ts";
import { recommend } from "#lib/posts/recommend.ts";

/** For after the post at `slug`, or after none. */
export function recommendations(
  index: PostIndex,
  { reader, read, dayTotals, nowMs, leaders }: ReadingData,
  slug: string | null,
): CardPost[] {
  return recommend(index, {
    slug,
    reader: { key: readerKey(reader), readSlugs: read },
    totals: dayTotals,
    nowMs,
  }).map((post) => ({
    post: summaryOf(post),
    leader: leaders.get(post.slug) ?? null,
    read: read.has(post.slug),
  }));
}
