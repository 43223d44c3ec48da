// Remembers the section at which a member stopped reading a post (docs/decisions/061).

import { SECOND_MS } from "#lib/core/clock.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { singleton } from "#lib/core/singleton.ts";
import type { Tx } from "#lib/db/database.ts";

/** Shorter posts are read in one go. */
export const MIN_RESUMABLE_MINUTES = 4;
/** The page's script waits a little longer (components/post/track-section.ts). */
const WRITE_INTERVAL_MS = 30 * SECOND_MS;

const limiter = () => singleton("place-limiter", () => new RateLimiter(1, WRITE_INTERVAL_MS));

/** Throws AppError(rate_limited) if the member's last place is younger than 30 seconds. */
export function consumePlaceWrite(userId: string, nowMs: number): void {
  consume([[limiter(), userId]], nowMs, "Too many places. Try again later.");
}

/** Stores the ID of a heading of the post; null at the end of the post, which forgets the place. */
export async function saveReadingPlace(
  tx: Tx,
  {
    userId,
    slug,
    heading,
    nowMs,
  }: { userId: string; slug: string; heading: string | null; nowMs: number },
): Promise<void> {
  const key = { userId, postSlug: slug };
  if (heading === null) {
    await tx.readingPlace.deleteMany({ where: key });
    return;
  }
  const place = { heading, updatedAt: new Date(nowMs) };
  await tx.readingPlace.upsert({
    where: { userId_postSlug: key },
    create: { ...key, ...place },
    update: place,
  });
}

export interface OpenPlace {
  readonly slug: string;
  /** The ID of the heading at which the member stopped. */
  readonly heading: string;
}

/**
 * Returns the posts that the member started and has not finished since, most recent first, at most
 * `limit`. `countedSlugOf` returns the post to which a translation's reads count.
 */
export async function listOpenPlaces(
  tx: Tx,
  {
    userId,
    limit,
    countedSlugOf,
  }: { userId: string; limit: number; countedSlugOf: (slug: string) => string },
): Promise<OpenPlace[]> {
  const openPlaces: OpenPlace[] = [];
  // Finished ones are among them, since a read doesn't delete the place.
  const take = limit * 4;
  for (let skip = 0; openPlaces.length < limit; skip += take) {
    const places = await tx.readingPlace.findMany({
      where: { userId },
      orderBy: [{ updatedAt: "desc" }, { postSlug: "asc" }],
      skip,
      take,
      select: { postSlug: true, heading: true, updatedAt: true },
    });
    const reads = await tx.postRead.groupBy({
      by: ["postSlug"],
      where: { userId, postSlug: { in: places.map(({ postSlug }) => countedSlugOf(postSlug)) } },
      _max: { createdAt: true },
    });
    const lastReads = new Map(reads.map(({ postSlug, _max }) => [postSlug, _max.createdAt]));
    for (const { postSlug, heading, updatedAt } of places) {
      const finishedAt = lastReads.get(countedSlugOf(postSlug));
      if (!finishedAt || finishedAt < updatedAt) openPlaces.push({ slug: postSlug, heading });
    }
    if (places.length < take) break;
  }
  return openPlaces.slice(0, limit);
}
