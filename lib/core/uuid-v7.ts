// Creates IDs that sort by time.

import { randomUUID } from "node:crypto";

/**
 * Creates a UUID version 7 (RFC 9562): 48 bits of `nowMs`, then 74 random bits. Consecutive IDs
 * share index pages; each random ID would dirty another page (docs/decisions/025).
 */
export function createUuidV7(nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, "0");
  // Version 4 has its random bits and its variant in the same places; Node keeps a supply of them.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
