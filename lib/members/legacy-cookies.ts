// Accepts the source site's cookies and upgrades them to this site's
// (docs/decisions/024-legacy-cookies-are-upgraded.md).

import { createHmac, timingSafeEqual } from "node:crypto";
import { LEGACY_COOKIES, getCookieName } from "#lib/core/cookie-names.ts";
import { env } from "#lib/core/env.ts";
import { incrementCounter } from "#lib/core/metrics.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { read } from "#lib/db/database.ts";
import { type ResponseCookie, cookieAttributes } from "#lib/http/cookies.ts";
import { signReaderId, unsignReaderId } from "#lib/reading/reader-id.ts";
import { findSessionExpiryMs } from "./sessions.ts";
import {
  buildReaderCookie,
  readReaderCookie,
  sealSessionCookie,
  unsealSession,
} from "./cookies.ts";

/** The size limit of browsers for a cookie (RFC 6265bis, 5.6). */
const MAX_COOKIE_LENGTH = 4_096;
/** Visible ASCII without cookie separators, such as a UUID, a cuid or random base64. */
const ID_PATTERN = /^[!-:<-~]{1,256}$/;
/** Padded base64, as btoa() writes it. */
const BASE64_PATTERN = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Returns true if `signature` is the unpadded base64 HMAC-SHA256 of `text` under one of `secrets`.
 * Compares with each in constant time.
 */
function isSignedBy(secrets: readonly string[], text: string, signature: string): boolean {
  const actual = Buffer.from(signature);
  const matches = secrets.map((secret) => {
    const expected = Buffer.from(
      createHmac("sha256", secret).update(text).digest("base64").replace(/=+$/, ""),
    );
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  });
  return matches.includes(true);
}

function parseIdField(json: string, field: string): unknown {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof data !== "object" || data === null) return data;
  return Object.hasOwn(data, field) ? (data as Record<string, unknown>)[field] : null;
}

/**
 * Returns the ID in a signed cookie's decoded value; null unless one of `secrets` signed it.
 * Supports two formats:
 * - Remix and React Router (createCookie, createCookieSessionStorage): base64 of JSON, ".",
 *   signature of that base64. The JSON is the ID itself, or an object with the ID in `field`.
 * - Express (package cookie-signature): "s:", the ID, ".", signature of the ID.
 */
export function unsignLegacyCookie(
  value: string | undefined,
  { secrets, field }: { secrets: readonly string[]; field: string },
): string | null {
  if (!value || value.length > MAX_COOKIE_LENGTH) return null;
  const isPlain = value.startsWith("s:");
  const dot = value.lastIndexOf(".");
  const text = value.slice(isPlain ? 2 : 0, Math.max(dot, 0));
  if (
    text === "" ||
    !(isPlain || BASE64_PATTERN.test(text)) ||
    !isSignedBy(secrets, text, value.slice(dot + 1))
  )
    return null;
  const id = isPlain ? text : parseIdField(Buffer.from(text, "base64").toString(), field);
  return typeof id === "string" && ID_PATTERN.test(id) ? id : null;
}

type GetCookie = (name: string) => string | undefined;

/**
 * Returns the source site's session ID; null without a valid cookie or without
 * LEGACY_COOKIE_SECRET.
 */
export function readLegacySessionId(get: GetCookie): string | null {
  const { LEGACY_COOKIE_SECRET: secrets, LEGACY_SESSION_COOKIE: cookie } = env;
  return secrets && cookie
    ? unsignLegacyCookie(get(LEGACY_COOKIES.session), { secrets, field: cookie.field })
    : null;
}

/**
 * Returns the source site's anonymous reader ID (PostRead.clientId); null without a valid cookie,
 * or if the reader cookie can't carry the ID.
 */
export function readLegacyReaderId(get: GetCookie): string | null {
  const { LEGACY_COOKIE_SECRET: secrets, LEGACY_CLIENT_COOKIE: cookie } = env;
  const id =
    secrets && cookie
      ? unsignLegacyCookie(get(LEGACY_COOKIES.reader), { secrets, field: cookie.field })
      : null;
  return id && unsignReaderId(signReaderId(id));
}

/**
 * Returns the cookie that deletes `name`. It uses Expires, because Next drops Max-Age=0 when a
 * server action also sets cookies.
 */
const expiredCookie = (name: string): ResponseCookie => ({
  name,
  value: "",
  ...cookieAttributes(),
  expires: new Date(0),
});

type UpgradeResult = "exchanged" | "ours" | "ended" | "unreadable";

/**
 * Returns the cookies that replace valid legacy cookies and delete them. IDs stay the same; none is
 * carried over if its session has ended or this site's cookie exists. Writes nothing. Doesn't
 * delete unreadable cookies, because the owner may still correct the secret.
 */
export async function upgradeLegacyCookies(get: GetCookie): Promise<ResponseCookie[]> {
  const { LEGACY_SESSION_COOKIE: session, LEGACY_CLIENT_COOKIE: client } = env;
  const cookies: ResponseCookie[] = [];
  const expiredNames = new Set<string>();
  const count = (kind: "session" | "reader", result: UpgradeResult) =>
    incrementCounter("legacy_cookies", { kind, result });

  if (session && get(LEGACY_COOKIES.session) !== undefined) {
    const id = readLegacySessionId(get);
    const hasOwn = id !== null && (await unsealSession(get(getCookieName("session")))) !== null;
    const expiresAtMs =
      id !== null && !hasOwn ? await read((tx) => findSessionExpiryMs(tx, hashSecret(id))) : null;
    const isExchanged = id !== null && expiresAtMs !== null;
    if (isExchanged) cookies.push(await sealSessionCookie({ id, expiresAtMs }));
    if (id !== null) expiredNames.add(session.name);
    count(
      "session",
      id === null ? "unreadable" : hasOwn ? "ours" : isExchanged ? "exchanged" : "ended",
    );
  }
  if (client && get(LEGACY_COOKIES.reader) !== undefined) {
    const id = readLegacyReaderId(get);
    const hasOwn = id !== null && readReaderCookie(get) !== null;
    if (id !== null && !hasOwn) cookies.push(buildReaderCookie(id));
    if (id !== null) expiredNames.add(client.name);
    count("reader", id === null ? "unreadable" : hasOwn ? "ours" : "exchanged");
  }
  return [...cookies, ...[...expiredNames].map(expiredCookie)];
}
