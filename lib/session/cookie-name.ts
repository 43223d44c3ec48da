// The names of our cookies. next.config.mjs sends requests that carry none of them to the shared pages.

import { env } from "../base/env.ts";

export const COOKIES = ["session", "reader", "txid"] as const;

/** Every name a cookie of ours can have: with `__Host-` where the site is served over https. */
export const COOKIE_NAMES = COOKIES.flatMap((name) => [name, `__Host-${name}`]);

/** The name in use: `__Host-` makes the browser insist on https, this host and the whole path. */
export function cookieName(name: (typeof COOKIES)[number]): string {
  return env.SITE_URL.startsWith("https:") ? `__Host-${name}` : name;
}
