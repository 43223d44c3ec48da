// Stores in a cookie when a member last visited, to mark posts that are new since then. A page view
// writes nothing to the database, so a replica can serve it.

import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { type ResponseCookie, defineCookie, readRequestCookies } from "#lib/http/cookies.ts";

/** A page view after a pause this long starts a new visit. */
export const VISIT_GAP_MS = 30 * MINUTE_MS;
/** The cookie is set again at most this often. */
export const RENEWAL_MS = 5 * MINUTE_MS;

export const visitCookie = defineCookie("visit", { ttlMs: 90 * DAY_MS });

interface Visit {
  /** When the previous visit ended (Unix time in ms); null on the first visit. */
  readonly previousMs: number | null;
  /** The last known page view (Unix time in ms). */
  readonly latestMs: number;
}

/** Returns null for a missing or invalid cookie, or one from the future. */
function parseVisit(value: string | undefined, now: number): Visit | null {
  const [, previous, latest] = /^(\d{1,13})\.(\d{1,13})$/.exec(value ?? "") ?? [];
  if (previous === undefined || Number(latest) > now) return null;
  return { previousMs: Number(previous) || null, latestMs: Number(latest) };
}

/** Returns the visit that a page view at `now` belongs to. */
function visitAt(value: string | undefined, now: number): Visit {
  const visit = parseVisit(value, now);
  if (!visit) return { previousMs: null, latestMs: now };
  const isNew = now - visit.latestMs >= VISIT_GAP_MS;
  return { previousMs: isNew ? visit.latestMs : visit.previousMs, latestMs: now };
}

/** Returns when the visit before that of a page view at `now` ended; null on the first visit. */
export const previousVisitMs = (value: string | undefined, now: number): number | null =>
  visitAt(value, now).previousMs;

/** Returns the cookie to set after a member's page view, or null if it is recent enough. */
export function renewVisitCookie(value: string | undefined, now: number): ResponseCookie | null {
  const known = parseVisit(value, now);
  if (known && now - known.latestMs < RENEWAL_MS) return null;
  const { previousMs, latestMs } = visitAt(value, now);
  return visitCookie.build(`${previousMs ?? 0}.${latestMs}`);
}

/** Returns when the member's previous visit ended (Unix time in ms); null on the first visit. */
export async function readPreviousVisit(): Promise<number | null> {
  const get = await readRequestCookies();
  return previousVisitMs(get(getCookieName("visit")), nowMs());
}
