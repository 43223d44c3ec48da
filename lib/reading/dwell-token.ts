// Issues and verifies dwell tokens, which prove when a reader opened a post.

import { AppError } from "#lib/core/errors.ts";
import { HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { generateSecret } from "#lib/core/secret.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";

const LABEL = "lectern dwell token v1";
/** A page that is open longer than this requests a new token. */
export const DWELL_TOKEN_TTL_MS = 24 * HOUR_MS;
/** Longer than any valid token: a slug has at most 100 characters, each of 9 when encoded. */
export const MAX_DWELL_TOKEN_LENGTH = 1_000;

const DWELL_TOKEN_PATTERN = /^([\w%!~*'()-]+)\.([0-9a-z]{1,11})\.([\w-]{22})\.([\w-]{43})$/;

interface DwellToken {
  readonly slug: string;
  readonly issuedAtMs: number;
  /** 128 random bits, base64url: makes each token single-use. */
  readonly nonce: string;
  readonly expiresAtMs: number;
}

/**
 * Returns how long a post must be open before its read counts: 60% of its reading time, in
 * milliseconds.
 */
export function getMinDwellMs(readingMinutes: number): number {
  return readingMinutes * 0.6 * MINUTE_MS;
}

/** Returns a signed token for a page that shows `slug` from `nowMs` on, valid for 24 hours. */
export function issueDwellToken({ slug, nowMs }: { slug: string; nowMs: number }): string {
  // Dots separate the parts, but encodeURIComponent() does not escape them.
  const name = encodeURIComponent(slug).replaceAll(".", "%2E");
  const text = `${name}.${nowMs.toString(36)}.${generateSecret(128)}`;
  return `${text}.${signText(LABEL, text)}`;
}

/**
 * Returns the token's contents. Throws AppError(invalid) if it is malformed or not signed by this
 * site, and AppError(forbidden) if it is for another post, was issued less than `minMs` ago, or has
 * expired.
 */
export function verifyDwellToken(
  token: string,
  { slug, minMs, nowMs }: { slug: string; minMs: number; nowMs: number },
): DwellToken {
  const parts = token.length <= MAX_DWELL_TOKEN_LENGTH ? DWELL_TOKEN_PATTERN.exec(token) : null;
  if (!parts) throw new AppError("invalid", "The token is malformed.", { field: "token" });
  const [, name, issued, nonce, signature] = parts as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  if (!isValidSignature(LABEL, `${name}.${issued}.${nonce}`, signature))
    throw new AppError("invalid", "The token's signature is invalid.", { field: "token" });
  const issuedAtMs = Number.parseInt(issued, 36);
  const parsed = {
    slug: decodeURIComponent(name),
    issuedAtMs,
    nonce,
    expiresAtMs: issuedAtMs + DWELL_TOKEN_TTL_MS,
  };
  if (parsed.slug !== slug)
    throw new AppError("forbidden", "The token is for another post.", { field: "token" });
  if (nowMs - issuedAtMs < minMs)
    throw new AppError("forbidden", "Too early: the post was opened a moment ago.", {
      field: "token",
    });
  if (nowMs >= parsed.expiresAtMs)
    throw new AppError("forbidden", "The token has expired.", { field: "token" });
  return parsed;
}
