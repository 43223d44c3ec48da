// Reads and sets the cookies of the request that Next is handling. The only file that imports
// next/headers.

import { getCookieName } from "#lib/core/cookie-names.ts";
import { env } from "#lib/core/env.ts";

// Imported lazily, because command-line tools and tests load this file outside Next.
const importNextHeaders = () => import("next/headers");
const cookies = async () => (await importNextHeaders()).cookies();

export interface ResponseCookie extends ReturnType<typeof cookieAttributes> {
  readonly name: string;
  readonly value: string;
  /** In seconds. */
  readonly maxAge?: number;
  readonly expires?: Date;
}

/** Returns the attributes shared by all cookies of the site. Secure only if SITE_URL is https. */
export function cookieAttributes() {
  return {
    httpOnly: true,
    secure: env.SITE_URL.startsWith("https:"),
    sameSite: "lax" as const,
    path: "/",
  };
}

/** Returns a cookie that expires after `maxAge` as a Set-Cookie header value. */
export const serializeCookie = ({ name, value, maxAge, secure }: ResponseCookie): string =>
  `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;

/** Returns a copy of the request's headers. */
export async function readRequestHeaders(): Promise<Headers> {
  return new Headers(await (await importNextHeaders()).headers());
}

/** Returns a function that looks up a cookie's value by its full name. */
export async function readRequestCookies(): Promise<(name: string) => string | undefined> {
  const jar = await cookies();
  return (name) => jar.get(name)?.value;
}

/** Sets a cookie in the response. Works only in a server action or route handler. */
export async function setResponseCookie(cookie: ResponseCookie): Promise<void> {
  (await cookies()).set({ ...cookie });
}

/**
 * Defines a cookie named `name`, prefixed with `__Host-` over HTTPS, that expires `ttlMs` after it
 * is set.
 */
export function defineCookie(name: string, { ttlMs }: { ttlMs: number }) {
  const build = (value: string): ResponseCookie => ({
    name: getCookieName(name),
    value,
    ...cookieAttributes(),
    maxAge: ttlMs / 1000,
  });
  return {
    /** Returns the cookie to set for `value`. */
    build,
    /** Returns the request's value, or undefined. */
    read: async () => (await cookies()).get(getCookieName(name))?.value,
    set: (value: string) => setResponseCookie(build(value)),
    expire: () => setResponseCookie({ ...build(""), maxAge: 0 }),
  };
}
