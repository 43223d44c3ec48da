// Generates random secrets and hashes them: the database stores only the hash, so a copy of it logs no one in.

import { createHash, randomBytes } from "node:crypto";

/** Returns `bits` random bits in base64url. */
export function generateSecret(bits: 128 | 256): string {
  return randomBytes(bits / 8).toString("base64url");
}

/** Returns the SHA-256 of `secret` in hex. Fit for long random secrets alone: it has no salt and no stretching. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
