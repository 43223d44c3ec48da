// Makes requests that carry only cookies of the source site recognizable to the router.

import type { IncomingHttpHeaders } from "node:http";
import { env } from "#lib/core/env.ts";
import { LEGACY_COOKIES } from "#lib/core/cookie-names.ts";
import { findCookie } from "./cookie-header.ts";

/**
 * Adds the cookies of the site before to a request's Cookie header under the names that the build knows: its router sends requests
 * without cookies to the shared pages, by a list that is written when it is built. Called when a request arrives.
 */
export function aliasLegacyCookies(headers: IncomingHttpHeaders): void {
  const { cookie } = headers;
  if (!env.LEGACY_COOKIE_SECRET || !cookie) return;
  const found = [
    [LEGACY_COOKIES.session, env.LEGACY_SESSION_COOKIE],
    [LEGACY_COOKIES.reader, env.LEGACY_CLIENT_COOKIE],
  ] as const;
  for (const [known, old] of found) {
    const value = old && findCookie(cookie, old.name);
    // The last of a name is the one that is read.
    if (value) headers.cookie += `; ${known}=${value}`;
  }
}
