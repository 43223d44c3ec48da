// Tells when a post goes live: a post with a later date is scheduled.

import type { FrontMatter } from "./source/front-matter.ts";

type Dated = Pick<FrontMatter, "date" | "dateMs">;

/**
 * Returns when readers may see a post (Unix time in ms): at its time or, without one, when its day
 * begins in UTC.
 */
export function goLiveMs({ date, dateMs }: Dated): number {
  return dateMs ?? Date.parse(`${date}T00:00:00Z`);
}

/**
 * Returns whether a post is hidden until its date. A draft is not: its author shares its address,
 * and the date is a plan.
 */
export function isScheduled(frontMatter: Dated & { readonly draft: boolean }, nowMs: number) {
  return !frontMatter.draft && goLiveMs(frontMatter) > nowMs;
}
