// Reads the cookies of the site before, where the owner gave the secret they were signed with (decision 024).

import { createHmac, timingSafeEqual } from "node:crypto";
import { env } from "#lib/core/env.ts";
import { unsignReaderId, signReaderId } from "#lib/reading/reader-id.ts";
import { LEGACY_COOKIES } from "#lib/core/cookie-names.ts";

/** What browsers keep of a cookie (RFC 6265bis, 5.6). */
const MAX_COOKIE_LENGTH = 4_096;
/** Visible ASCII, without what separates cookies: a UUID, a cuid, random base64. */
const ID_PATTERN = /^[!-:<-~]{1,256}$/;
/** Of whole groups: what btoa gives. */
const BASE64_PATTERN = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Whether `signature` is, to the letter, the base64 of the HMAC-SHA256 of `text` without "=". Takes the same time for each of `secrets`, whichever it is. */
function isSignedBy(secrets: readonly string[], text: string, signature: string): boolean {
  const given = Buffer.from(signature);
  const equal = secrets.map((secret) => {
    const right = Buffer.from(
      createHmac("sha256", secret).update(text).digest("base64").replace(/=+$/, ""),
    );
    return given.length === right.length && timingSafeEqual(given, right);
  });
  return equal.includes(true);
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
 * The id in a signed cookie's (decoded) value; null for one that is not signed by one of `secrets`, holds none, or is no cookie at all.
 * Two forms are known. That of createCookie and createCookieSessionStorage (Remix, React Router): the base64 of JSON in UTF-8, ".",
 * and the signature of that base64; the JSON is an object with the id in `field`, or the id itself. And that of the package
 * cookie-signature (Express): "s:", the id, "." and the id's signature.
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

/** The id of the session at the site before, from a jar of cookies; null without a good cookie, and where the owner gave no secret. */
export function readLegacySessionId(get: GetCookie): string | null {
  const { LEGACY_COOKIE_SECRET: secrets, LEGACY_SESSION_COOKIE: cookie } = env;
  return secrets && cookie
    ? unsignLegacyCookie(get(LEGACY_COOKIES.session), { secrets, field: cookie.field })
    : null;
}

/** The same for the id of an anonymous reader, as PostRead.clientId has it; null also for one that a cookie of ours can't carry. */
export function readLegacyReaderId(get: GetCookie): string | null {
  const { LEGACY_COOKIE_SECRET: secrets, LEGACY_CLIENT_COOKIE: cookie } = env;
  const id =
    secrets && cookie
      ? unsignLegacyCookie(get(LEGACY_COOKIES.reader), { secrets, field: cookie.field })
      : null;
  return id && unsignReaderId(signReaderId(id));
}
