// Ids that begin with the time.

import { randomBytes } from "node:crypto";

/**
 * A new UUID of version 7 (RFC 9562): 48 bits of `nowMs`, then 74 random ones. Rows that are stored together so lie together in an index of their ids,
 * where random ids would each change a page of their own (docs/decisions/025).
 */
export function createUuidV7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
