// Reads this instance's position in the replicated database, and the age of the primary's heartbeat.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "#lib/core/env.ts";
import { nextChange, litefsState, cachedFor } from "./role.ts";

export interface Position {
  /** Newest transaction; 0 before the first. Counts up by one, and restarts at 1 after a restore. */
  readonly txid: number;
  /** Of the whole database at that transaction, 16 hex digits. */
  readonly checksum: string;
}

/** Reads the position from LiteFS' -pos file; null without replication or if it can't be read. */
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

/** Resolves to true as soon as this copy has `txid`, to false after `timeoutMs`. */
export async function waitForTxid(txid: number, timeoutMs: number): Promise<boolean> {
  const hasArrived = () => (readCachedPosition()?.txid ?? 0) >= txid;
  const untilMs = performance.now() + timeoutMs;
  while (!hasArrived()) {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return false;
    // Polls beside the events, since their stream can break.
    await nextChange(Math.min(leftMs, 50));
  }
  return true;
}

/** Milliseconds since the primary's last heartbeat (one per second); 0 on the primary; null before the first, or without replication. */
export function heartbeatAgeMs(): number | null {
  if (!env.REPLICATION) return null;
  try {
    const ms = Number.parseInt(readFileSync(join(env.FLY_LITEFS_DIR, ".lag"), "utf8"), 10);
    return Number.isNaN(ms) || ms >= 2 ** 31 - 1 ? null : Math.max(0, ms);
  } catch {
    return null;
  }
}

/** Heartbeats come each second; some are late. */
const HEARTBEAT_TIMEOUT_MS = 5_000;

/**
 * True if a heartbeat came within five seconds, and since LiteFS last lost a primary. While a dead primary's lease lasts,
 * LiteFS keeps naming it; requests replayed there would time out.
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
