// The dwell token: proof of when a reader opened which post.

import { randomBytes } from "node:crypto";
import { AppError } from "#lib/core/errors.ts";
import { HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";

const LABEL = "lectern dwell token v1";
/** A page that stays open longer asks for a new token. */
export const DWELL_TOKEN_TTL_MS = 24 * HOUR_MS;
/** No token of ours is longer: a slug has at most 200 characters. */
export const MAX_DWELL_TOKEN_LENGTH = 700;

const DWELL_TOKEN_PATTERN = /^([\w%!~*'()-]+)\.([0-9a-z]{1,11})\.([\w-]{22})\.([\w-]{43})$/;

export interface DwellToken {
  readonly slug: string;
  readonly issuedAtMs: number;
  /** 128 random bits in base64url: no token counts twice. */
  readonly nonce: string;
  readonly expiresAtMs: number;
}

/** How long a post must have been open before its read counts: 60 % of its reading time, the rule of the reference. */
export function getMinDwellMs(readingMinutes: number): number {
  return readingMinutes * 0.6 * MINUTE_MS;
}

/** A signed token for a page that shows `slug` from `nowMs` on: text for a JSON body, valid for 24 hours. */
export function issueDwellToken({ slug, nowMs }: { slug: string; nowMs: number }): string {
  // Dots part the token, and encodeURIComponent leaves them as they are.
  const name = encodeURIComponent(slug).replaceAll(".", "%2E");
  const text = `${name}.${nowMs.toString(36)}.${randomBytes(16).toString("base64url")}`;
  return `${text}.${signText(LABEL, text)}`;
}

/**
 * What the token says. Throws AppError: invalid when it is malformed or not signed by us,
 * forbidden when it is for another post, was issued less than `minMs` ago, or has expired.
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
    throw new AppError("invalid", "The token is forged.", { field: "token" });
  const issuedAtMs = Number.parseInt(issued, 36);
  const found = {
    slug: decodeURIComponent(name),
    issuedAtMs,
    nonce,
    expiresAtMs: issuedAtMs + DWELL_TOKEN_TTL_MS,
  };
  if (found.slug !== slug)
    throw new AppError("forbidden", "The token is for another post.", { field: "token" });
  if (nowMs - issuedAtMs < minMs)
    throw new AppError("forbidden", "Too early: the post was opened a moment ago.", {
      field: "token",
    });
  if (nowMs >= found.expiresAtMs)
    throw new AppError("forbidden", "The token has expired.", { field: "token" });
  return found;
}
