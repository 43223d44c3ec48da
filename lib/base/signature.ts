// Signs short texts that travel through a browser and come back.

import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { env } from "../base/env.ts";

const keys = new Map<string, Buffer>();

/** A key of its own for each purpose (RFC 5869), so that what was signed for one is worth nothing for another. */
function keyFor(label: string): Buffer {
  const name = `${label}\0${env.SESSION_SECRET}`;
  let key = keys.get(name);
  if (!key) {
    key = Buffer.from(hkdfSync("sha256", env.SESSION_SECRET, "", label, 32));
    keys.set(name, key);
  }
  return key;
}

/** HMAC-SHA256 of `text` under the key for `label`: 43 characters of base64url. */
export function sign(label: string, text: string): string {
  return createHmac("sha256", keyFor(label)).update(text).digest("base64url");
}

/** Whether `signature` is, to the letter, what `sign` gives. Takes the same time wherever they differ. */
export function isSigned(label: string, text: string, signature: string): boolean {
  const given = Buffer.from(signature);
  const right = Buffer.from(sign(label, text));
  return given.length === right.length && timingSafeEqual(given, right);
}
