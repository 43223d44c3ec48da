// Names the cookies of the site. next.config.mjs rewrites requests without any of them to the static pages.

import { env } from "./env.ts";

const SITE_COOKIES = ["session", "reader", "txid"] as const;

/**
 * The names under which a request carries the cookies of the source site, whatever LEGACY_*_COOKIE calls them: the build
 * needs fixed names (docs/decisions/024-legacy-cookies-are-upgraded.md).
 */
export const LEGACY_COOKIES = { session: "legacy-session", reader: "legacy-reader" } as const;

/** All names: of this site, with and without `__Host-`, and of the source site. */
export const COOKIE_NAMES: readonly string[] = [
  ...SITE_COOKIES.flatMap((name) => [name, `__Host-${name}`]),
  ...Object.values(LEGACY_COOKIES),
];

/** Returns the name in use. Over https, `__Host-` binds the cookie to this host and path "/". */
export function getCookieName(name: string): string {
  return env.SITE_URL.startsWith("https:") ? `__Host-${name}` : name;
}
