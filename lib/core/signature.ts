// Signs short strings with HMAC, for values that browsers or peers send back.

import {
  type KeyObject,
  createHmac,
  createSecretKey,
  hkdfSync,
  timingSafeEqual,
} from "node:crypto";
import { env } from "./env.ts";

const derivedKeys = new Map<string, KeyObject>();

/**
 * Derives a key per purpose with HKDF (RFC 5869), so that a signature is valid for one purpose
 * only. With a KeyObject, an HMAC takes 2 µs; with the key's bytes, 13 µs.
 */
function deriveKey(purpose: string, secret: string): KeyObject {
  const name = `${purpose}\0${secret}`;
  let key = derivedKeys.get(name);
  if (!key) {
    key = createSecretKey(Buffer.from(hkdfSync("sha256", secret, "", purpose, 32)));
    derivedKeys.set(name, key);
  }
  return key;
}

const sign = (purpose: string, text: string, secret: string): string =>
  createHmac("sha256", deriveKey(purpose, secret)).update(text).digest("base64url");

function isSignedWith(secret: string, purpose: string, text: string, signature: string): boolean {
  const actual = Buffer.from(signature);
  const expected = Buffer.from(sign(purpose, text, secret));
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** Returns the HMAC-SHA256 of `text` under the key for `purpose`: 43 characters of base64url. */
export function signText(purpose: string, text: string): string {
  return sign(purpose, text, env.SESSION_SECRET);
}

/**
 * Returns true if `signature` equals signText() with SESSION_SECRET or another accepted secret.
 * Compares in constant time.
 */
export function isValidSignature(purpose: string, text: string, signature: string): boolean {
  return [env.SESSION_SECRET, ...env.ACCEPTED_SESSION_SECRETS].some((secret) =>
    isSignedWith(secret, purpose, text, signature),
  );
}

/** Returns true if a valid signature was made with a secret other than SESSION_SECRET. */
export function isOutdatedSignature(purpose: string, text: string, signature: string): boolean {
  return !isSignedWith(env.SESSION_SECRET, purpose, text, signature);
}
