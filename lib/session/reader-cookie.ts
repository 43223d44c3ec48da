// The cookie of an anonymous reader. It is made when a first read counts, never by looking at a page.

import { DAY_MS } from "../base/clock.ts";
import { openReaderId, sealReaderId } from "../reads/reader-id.ts";
import { findCookie } from "./cookie-header.ts";
import { cookieName } from "./cookie-name.ts";

/** The longest life that browsers grant a cookie (RFC 6265bis, 5.6.3). */
const READER_DAYS = 400;
export const READER_SECONDS = (READER_DAYS * DAY_MS) / 1000;

/** The anonymous reader's id out of a jar of cookies; null when there is none, or it was not signed by us. */
export function readReaderCookie(get: (name: string) => string | undefined): string | null {
  return openReaderId(get(cookieName("reader")));
}

/** The same out of a request's headers, for a handler. */
export function readReader(request: { readonly headers: Headers }): string | null {
  return readReaderCookie((name) => findCookie(request.headers.get("cookie") ?? "", name));
}

/** The value of a Set-Cookie header that gives this id to the reader: signed, httpOnly, lax, 400 days. */
export function readerCookie(clientId: string): string {
  const name = cookieName("reader");
  const secure = name.startsWith("__Host-") ? "; Secure" : "";
  return `${name}=${sealReaderId(clientId)}; Path=/; Max-Age=${READER_SECONDS}; HttpOnly; SameSite=Lax${secure}`;
}
