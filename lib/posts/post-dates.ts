// Derives when a post goes live and when it last changed.

import { SECOND_MS } from "#lib/core/clock.ts";
import { hashText } from "#lib/core/hash-text.ts";
import type { FrontMatter } from "./source/front-matter.ts";

interface DatedPost {
  readonly slug: string;
  readonly frontMatter: Pick<FrontMatter, "date" | "dateMs" | "updated" | "updatedMs">;
  /** When the text last changed (Unix time in ms), if known. */
  readonly changedMs?: number;
}

/**
 * Returns the publication time for a date without one: in the first minute of that day in UTC. It
 * depends only on the day and the slug, so it never changes, and two posts of one day differ.
 */
function timeOnDay(day: string, slug: string): number {
  return Date.parse(`${day}T00:00:00Z`) + (hashText(slug) % 60) * SECOND_MS;
}

/**
 * Returns when a post is published (Unix time in ms). Until then, it is scheduled, and readers
 * can't see it. NaN for a page without a date.
 */
export function publicationMs({ slug, frontMatter: { date, dateMs } }: DatedPost): number {
  return dateMs ?? timeOnDay(date, slug);
}

/**
 * Returns the sort key of lists (Unix time in ms). Posts of one day without a time have the same
 * key.
 */
export function sortKeyMs({ frontMatter: { date, dateMs } }: DatedPost): number {
  return dateMs ?? Date.parse(`${date}T00:00:00Z`);
}

/**
 * Returns whether a post is hidden until its date. A draft is not: its author shares its address,
 * and the date is a plan.
 */
export function isScheduled(
  post: DatedPost & { readonly frontMatter: { readonly draft: boolean } },
  nowMs: number,
): boolean {
  return !post.frontMatter.draft && publicationMs(post) > nowMs;
}

/**
 * Returns when a post last changed (Unix time in ms), never before its publication: the author's
 * date, or the last change of its text. NaN if neither is known for a page.
 */
export function modificationMs(post: DatedPost): number {
  const { updated, updatedMs } = post.frontMatter;
  const modified =
    updatedMs ?? (updated === undefined ? post.changedMs : timeOnDay(updated, post.slug));
  const published = publicationMs(post);
  return modified === undefined || modified < published ? published : modified;
}

/**
 * Returns the author's date of the last change, or null unless it is later than the post's date.
 */
export function laterUpdateDay({ frontMatter: { date, updated } }: DatedPost): string | null {
  return updated !== undefined && updated > date ? updated : null;
}

/** Returns when a post was published in W3C format: a day, or a time if the author wrote one. */
export function formatPublication(post: DatedPost): string {
  const { date, dateMs } = post.frontMatter;
  return dateMs === undefined ? date : new Date(dateMs).toISOString();
}

/**
 * Returns when a post last changed in W3C format: a day if its author wrote only that. Empty if
 * nothing is known for a page.
 */
export function formatModification(post: DatedPost): string {
  const modified = modificationMs(post);
  if (Object.is(modified, publicationMs(post))) return formatPublication(post);
  const { updated, updatedMs } = post.frontMatter;
  return updated !== undefined && updatedMs === undefined
    ? updated
    : new Date(modified).toISOString();
}
