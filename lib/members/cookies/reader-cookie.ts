// The cookie of an anonymous reader. It is made when a first read counts, never by looking at a page.

import { DAY_MS } from "#lib/core/clock.ts";
import { unsignReaderId, signReaderId } from "#lib/reading/reader-id.ts";
import { findCookie } from "#lib/http/cookie-header.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";

/** The longest life that browsers grant a cookie (RFC 6265bis, 5.6.3). */
const READER_COOKIE_DAYS = 400;
export const READER_COOKIE_MAX_AGE_SECONDS = (READER_COOKIE_DAYS * DAY_MS) / 1000;

/** The anonymous reader's id out of a jar of cookies; null when there is none, or it was not signed by us. */
export function readReaderCookie(get: (name: string) => string | undefined): string | null {
  return unsignReaderId(get(getCookieName("reader")));
}

/** The same out of a request's headers, for a handler. */
export function readReaderCookieFromRequest(request: { readonly headers: Headers }): string | null {
  return readReaderCookie((name) => findCookie(request.headers.get("cookie") ?? "", name));
}

/** The value of a Set-Cookie header that gives this id to the reader: signed, httpOnly, lax, 400 days. */
export function serializeReaderCookie(clientId: string): string {
  const name = getCookieName("reader");
  const secure = name.startsWith("__Host-") ? "; Secure" : "";
  return `${name}=${signReaderId(clientId)}; Path=/; Max-Age=${READER_COOKIE_MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax${secure}`;
}
