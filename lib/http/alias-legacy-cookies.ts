// Aliases the source site's cookies to names that the build knows.

import type { IncomingHttpHeaders } from "node:http";
import { env } from "#lib/core/env.ts";
import { LEGACY_COOKIES } from "#lib/core/cookie-names.ts";
import { findCookie } from "./cookie-header.ts";

/**
 * Adds the legacy cookies to the Cookie header under fixed names. Next's router serves static pages
 * to requests without the site's cookies, and its list of names is fixed at build time.
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
    // If several cookies have the same name, Next reads the last.
    if (value) headers.cookie += `; ${alias}=${value}`;
  }
}
