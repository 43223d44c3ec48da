// Carries the result of an action to the page that it redirects to. A URL can't do this, because
// anyone can open it at any time.

import { MINUTE_MS } from "#lib/core/clock.ts";
import { defineCookie } from "./cookies.ts";

const NOTICES = [
  "account-deleted",
  "subscribed",
  "member-deleted",
  "delivery-retrying",
  "delivery-canceled",
  "cache-entry-deleted",
  "issue-canceled",
  "issue-deleted",
] as const;
export type Notice = (typeof NOTICES)[number];

const noticeCookie = defineCookie("notice", { ttlMs: MINUTE_MS });

/**
 * Shows `notice` on this browser's next pages for a minute. Call it in an action that redirects.
 */
export const setNotice = (notice: Notice): Promise<void> => noticeCookie.set(notice);

/** Returns what this browser did within the last minute, or null. */
export async function readNotice(): Promise<Notice | null> {
  const value = await noticeCookie.read();
  return NOTICES.find((notice) => notice === value) ?? null;
}
