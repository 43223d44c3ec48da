// Signs short texts with HMAC, for values that browsers or peers send back.

import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { env } from "./env.ts";

const derivedKeys = new Map<string, Buffer>();

/**
 * Derives a key per purpose with HKDF (RFC 5869), so that a signature is valid for one purpose
 * only.
 */
function deriveKey(purpose: string): Buffer {
  const name = `${purpose}\0${env.SESSION_SECRET}`;
  let key = derivedKeys.get(name);
  if (!key) {
    key = Buffer.from(hkdfSync("sha256", env.SESSION_SECRET, "", purpose, 32));
    derivedKeys.set(name, key);
  }
  return key;
}

/** Returns the HMAC-SHA256 of `text` under the key for `purpose`: 43 characters of base64url. */
export function signText(purpose: string, text: string): string {
  return createHmac("sha256", deriveKey(purpose)).update(text).digest("base64url");
}

/** Returns true if `signature` equals that of signText(). Compares in constant time. */
export function isValidSignature(purpose: string, text: string, signature: string): boolean {
  const actual = Buffer.from(signature);
  const expected = Buffer.from(signText(purpose, text));
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
