// Generates random secrets and hashes them. The database stores only hashes, so a leaked copy can't
// be used to log in.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Returns `bits` random bits in base64url. */
export function generateSecret(bits: 128 | 256): string {
  return randomBytes(bits / 8).toString("base64url");
}

/**
 * Returns the SHA-256 of `secret` in hex. Only for long random secrets: it has no salt and no key
 * stretching.
 */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Returns whether two secrets are equal, in constant time. */
export function isSameSecret(actual: string, expected: string): boolean {
  // Hashed first, because timingSafeEqual() takes only values of the same length.
  return timingSafeEqual(Buffer.from(hashSecret(actual)), Buffer.from(hashSecret(expected)));
}
