// Renames cookies of the source site to names that the build knows.

import type { IncomingHttpHeaders } from "node:http";
import { env } from "#lib/core/env.ts";
import { LEGACY_COOKIES } from "#lib/core/cookie-names.ts";
import { findCookie } from "./cookie-header.ts";

/**
 * Adds the legacy cookies to the Cookie header under fixed names. Next's router sends requests without cookies to the shared
 * pages, by a list of names that is frozen at build time.
 */
export function aliasLegacyCookies(headers: IncomingHttpHeaders): void {
  const { cookie } = headers;
  if (!env.LEGACY_COOKIE_SECRET || !cookie) return;
  const aliases = [
    [LEGACY_COOKIES.session, env.LEGACY_SESSION_COOKIE],
    [LEGACY_COOKIES.reader, env.LEGACY_CLIENT_COOKIE],
  ] as const;
  for (const [alias, legacyCookie] of aliases) {
    const value = legacyCookie && findCookie(cookie, legacyCookie.name);
    // Of several cookies with one name, Next reads the last.
    if (value) headers.cookie += `; ${alias}=${value}`;
  }
}
