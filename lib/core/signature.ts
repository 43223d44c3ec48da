// Signs short texts that travel through a browser and come back.

import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { env } from "./env.ts";

const derivedKeys = new Map<string, Buffer>();

/** A key of its own for each purpose (RFC 5869), so that what was signed for one is worth nothing for another. */
function deriveKey(label: string): Buffer {
  const name = `${label}\0${env.SESSION_SECRET}`;
  let key = derivedKeys.get(name);
  if (!key) {
    key = Buffer.from(hkdfSync("sha256", env.SESSION_SECRET, "", label, 32));
    derivedKeys.set(name, key);
  }
  return key;
}

/** HMAC-SHA256 of `text` under the key for `label`: 43 characters of base64url. */
export function signText(label: string, text: string): string {
  return createHmac("sha256", deriveKey(label)).update(text).digest("base64url");
}

/** Whether `signature` is, to the letter, what `sign` gives. Takes the same time wherever they differ. */
export function isValidSignature(label: string, text: string, signature: string): boolean {
  const given = Buffer.from(signature);
  const right = Buffer.from(signText(label, text));
  return given.length === right.length && timingSafeEqual(given, right);
}
