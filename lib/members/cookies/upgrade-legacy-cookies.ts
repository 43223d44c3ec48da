// Gives the browser cookies of ours for those of the site before, and has it forget them (decision 024).

import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { incrementCounter } from "#lib/core/metrics.ts";
import { hashSessionId } from "#lib/members/session/hash-session-id.ts";
import { readSql } from "#lib/db/database.ts";
import { signReaderId } from "#lib/reading/reader-id.ts";
import { LEGACY_COOKIES, getCookieName } from "#lib/core/cookie-names.ts";
import { readLegacyReaderId, readLegacySessionId } from "./legacy-cookie.ts";
import { READER_COOKIE_MAX_AGE_SECONDS, readReaderCookie } from "./reader-cookie.ts";
import { getCookieFlags, unsealSession, sealSessionCookie } from "#lib/members/session/session.ts";

export type ResponseCookie = ReturnType<typeof getCookieFlags> & {
  readonly name: string;
  readonly value: string;
  readonly maxAge?: number;
  readonly expires?: Date;
};
type UpgradeResult = "exchanged" | "ours" | "ended" | "unreadable";

/** When the session `id` ends; null where it has. */
const findSessionExpiryMs = (id: string) =>
  readSql(
    (sql) =>
      sql.get<{ atMs: number }>(
        `SELECT "expirationDate" AS "atMs" FROM "Session" WHERE "id" = ? AND "expirationDate" > ?`,
        hashSessionId(id),
        nowMs(),
      )?.atMs ?? null,
  );

/** The cookie that has the browser forget the cookie `name`. By a date: Next drops a Max-Age of 0 where an action's answer sets cookies, too. */
const expireCookie = (name: string): ResponseCookie => ({
  name,
  value: "",
  ...getCookieFlags(),
  expires: new Date(0),
});

/**
 * The cookies to set in answer to a request: none where it brings no good cookie of the site before, which is always so without
 * LEGACY_COOKIE_SECRET. Else the old one is expired, and what takes its place is a cookie of ours with the same id: for a session
 * that lives, where the request has none of ours; for a reader likewise. Nothing is written, so every instance can answer.
 * A cookie that can't be read is left as it is: it may be of use once the owner has put the secret or the name right.
 */
export async function upgradeLegacyCookies(
  get: (name: string) => string | undefined,
): Promise<ResponseCookie[]> {
  const { LEGACY_SESSION_COOKIE: session, LEGACY_CLIENT_COOKIE: client } = env;
  const set: ResponseCookie[] = [];
  const gone = new Set<string>();
  const note = (kind: "session" | "reader", result: UpgradeResult) =>
    incrementCounter("legacy_cookies", { kind, result });

  if (session && get(LEGACY_COOKIES.session) !== undefined) {
    const id = readLegacySessionId(get);
    const isOurs = id !== null && (await unsealSession(get(getCookieName("session")))) !== null;
    const expiresAtMs = id !== null && !isOurs ? await findSessionExpiryMs(id) : null;
    const isExchanged = id !== null && expiresAtMs !== null;
    if (isExchanged) set.push(await sealSessionCookie({ id, expiresAtMs }));
    if (id !== null) gone.add(session.name);
    note(
      "session",
      id === null ? "unreadable" : isOurs ? "ours" : isExchanged ? "exchanged" : "ended",
    );
  }
  if (client && get(LEGACY_COOKIES.reader) !== undefined) {
    const id = readLegacyReaderId(get);
    const isOurs = id !== null && readReaderCookie(get) !== null;
    if (id !== null && !isOurs)
      set.push({
        name: getCookieName("reader"),
        value: signReaderId(id),
        ...getCookieFlags(),
        maxAge: READER_COOKIE_MAX_AGE_SECONDS,
      });
    if (id !== null) gone.add(client.name);
    note("reader", id === null ? "unreadable" : isOurs ? "ours" : "exchanged");
  }
  return [...set, ...[...gone].map(expireCookie)];
}
