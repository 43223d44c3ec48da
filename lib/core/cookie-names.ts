// The names of our cookies. next.config.mjs sends requests that carry none of them to the shared pages.

import { env } from "./env.ts";

export const SITE_COOKIES = ["session", "reader", "txid"] as const;

/**
 * What the cookies of the site before are called once a request has arrived, whatever the owner says they are called in browsers:
 * these names stand in the build, those are known to the running site alone (decision 024).
 */
export const LEGACY_COOKIES = { session: "legacy-session", reader: "legacy-reader" } as const;

/** Every name a cookie of ours can have (with `__Host-` where the site is served over https), and those of the site before. */
export const COOKIE_NAMES: readonly string[] = [
  ...SITE_COOKIES.flatMap((name) => [name, `__Host-${name}`]),
  ...Object.values(LEGACY_COOKIES),
];

/** The name in use: `__Host-` makes the browser insist on https, this host and the whole path. */
export function getCookieName(name: string): string {
  return env.SITE_URL.startsWith("https:") ? `__Host-${name}` : name;
}
