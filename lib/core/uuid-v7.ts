// Creates IDs that sort by time.

import { randomBytes } from "node:crypto";

/**
 * Creates a UUID version 7 (RFC 9562): 48 bits of `nowMs`, then 74 random bits. Consecutive IDs
 * share index pages; each random ID would dirty another page (docs/decisions/025).
 */
export function createUuidV7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
