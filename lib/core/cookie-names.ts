// Lists the site's cookie names. next.config.mjs serves static pages to requests that carry none of
// them.

import { env } from "./env.ts";

const SITE_COOKIES = ["session", "reader", "txid"] as const;

/**
 * Internal names of the source site's cookies, whatever LEGACY_*_COOKIE is, because the build needs
 * fixed names (docs/decisions/024-legacy-cookies-are-upgraded.md).
 */
export const LEGACY_COOKIES = { session: "legacy-session", reader: "legacy-reader" } as const;

/** All cookie names: this site's, with and without `__Host-`, and the source site's. */
export const COOKIE_NAMES: readonly string[] = [
  ...SITE_COOKIES.flatMap((name) => [name, `__Host-${name}`]),
  ...Object.values(LEGACY_COOKIES),
];

/**
 * Returns the cookie's full name. Over HTTPS, the `__Host-` prefix binds the cookie to this host
 * and path "/".
 */
export function getCookieName(name: string): string {
  return env.SITE_URL.startsWith("https:") ? `__Host-${name}` : name;
}
