// Derives when a post was published and last changed from its front matter.

import { createHash } from "node:crypto";
import { SECOND_MS } from "#lib/core/clock.ts";
import { noonUtc } from "#lib/core/format.ts";
import type { Post } from "./post.ts";

type DatedPost = Pick<Post, "slug" | "frontMatter">;

/** Within an hour after noon UTC, a time is on the same day from UTC-12 to UTC+11. */
const MAX_OFFSET_SECONDS = 3_600;

/**
 * Returns the time for a day that was written without one. It depends only on the day and the slug, so it never
 * changes, and two posts of a day differ.
 */
function timeOnDay(day: string, slug: string): Date {
  const hash = createHash("sha256").update(slug).digest().readUInt32BE();
  return new Date(noonUtc(day).getTime() + (hash % MAX_OFFSET_SECONDS) * SECOND_MS);
}

/** Returns when a post was published. */
export function publicationTime({ slug, frontMatter: { date, dateMs } }: DatedPost): Date {
  return dateMs === undefined ? timeOnDay(date, slug) : new Date(dateMs);
}

/** Returns when a post last changed according to its author, never before its publication. */
export function modificationTime(post: DatedPost): Date {
  const published = publicationTime(post);
  const { updated, updatedMs } = post.frontMatter;
  if (updated === undefined) return published;
  const modified = updatedMs === undefined ? timeOnDay(updated, post.slug) : new Date(updatedMs);
  return modified > published ? modified : published;
}

/** Returns the day of a post's last change, or null unless it is later than the post's date. */
export function laterUpdateDay({ frontMatter: { date, updated } }: DatedPost): string | null {
  return updated !== undefined && updated > date ? updated : null;
}
