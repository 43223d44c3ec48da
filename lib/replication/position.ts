// How far this instance's copy of the database is.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "#lib/core/env.ts";
import { nextChange, litefsState, cachedFor } from "./role.ts";

export interface Position {
  /** Number of the newest transaction; 0 before the first. They count up by one, and anew from 1 after a restore. */
  readonly txid: number;
  /** Of the whole database at that transaction, 16 hex digits: two copies at the same transaction are equal where these are. */
  readonly checksum: string;
}

/** Where this copy is, from LiteFS itself; null without replication, or when it can't be read. */
export function readPosition(): Position | null {
  if (!env.REPLICATION) return null;
  try {
    const [txid = "", checksum = ""] = readFileSync(`${env.DATABASE_FILE}-pos`, "utf8")
      .trim()
      .split("/");
    return /^[0-9a-f]{16}$/.test(txid) ? { txid: Number.parseInt(txid, 16), checksum } : null;
  } catch {
    return null;
  }
}

const readCachedPosition = cachedFor(readPosition);

/** True as soon as this copy has transaction `txid`; false when it has not after `timeoutMs`. */
export async function waitForTxid(txid: number, timeoutMs: number): Promise<boolean> {
  const isThere = () => (readCachedPosition()?.txid ?? 0) >= txid;
  const untilMs = performance.now() + timeoutMs;
  while (!isThere()) {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return false;
    // Events name each transaction as it arrives; looked at again besides, since a stream of events can break.
    await nextChange(Math.min(leftMs, 50));
  }
  return true;
}

/** Milliseconds since the primary was last heard of (it sends a sign each second); 0 on the primary; null where it never was, or without replication. */
export function heartbeatAgeMs(): number | null {
  if (!env.REPLICATION) return null;
  try {
    const ms = Number.parseInt(readFileSync(join(env.FLY_LITEFS_DIR, ".lag"), "utf8"), 10);
    return Number.isNaN(ms) || ms >= 2 ** 31 - 1 ? null : Math.max(0, ms);
  } catch {
    return null;
  }
}

/** The primary sends a sign each second; some may be late. */
const HEARTBEAT_TIMEOUT_MS = 5_000;

/**
 * Whether the primary that this replica names was heard of just now, and since LiteFS lost one. LiteFS names a primary before it has
 * reached it, several times a second while the lease of a dead one lasts: who is sent there gets no answer.
 */
export function isPrimaryReachable(): boolean {
  const ms = heartbeatAgeMs();
  const { primaryLostAtMs } = litefsState();
  return (
    ms !== null &&
    ms < HEARTBEAT_TIMEOUT_MS &&
    (primaryLostAtMs === null || ms < performance.now() - primaryLostAtMs)
  );
}
