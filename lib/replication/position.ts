// Reads this instance's position in the replicated database, and the age of the primary's
// heartbeat.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "#lib/core/env.ts";
import type { Position } from "./litefs-node-state.ts";
import { isPrimarySiteResponding } from "./primary-probe.ts";
import { nextChange, litefsState, cachedFor } from "./role.ts";

/**
 * Returns the position in LiteFS's -pos file; null without replication or if the file can't be
 * read.
 */
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

/** Resolves to true once this instance has applied `txid`, or to false after `timeoutMs`. */
export async function waitForTxid(txid: number, timeoutMs: number): Promise<boolean> {
  const hasArrived = () => (readCachedPosition()?.txid ?? 0) >= txid;
  const untilMs = performance.now() + timeoutMs;
  while (!hasArrived()) {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return false;
    // Poll in addition to the events, because their stream can break.
    await nextChange(Math.min(leftMs, 50));
  }
  return true;
}

/**
 * Returns the milliseconds since the primary's last heartbeat (one per second); 0 on the primary;
 * null before the first, or without replication.
 */
export function heartbeatAgeMs(): number | null {
  if (!env.REPLICATION) return null;
  try {
    const ms = Number.parseInt(readFileSync(join(env.FLY_LITEFS_DIR, ".lag"), "utf8"), 10);
    return Number.isNaN(ms) || ms >= 2 ** 31 - 1 ? null : Math.max(0, ms);
  } catch {
    return null;
  }
}

/** Heartbeats arrive every second; some are late. */
const HEARTBEAT_TIMEOUT_MS = 5_000;

/**
 * Returns true if a heartbeat arrived within HEARTBEAT_TIMEOUT_MS, and after LiteFS last lost its
 * primary, and the primary's site responds. While a dead primary's lease lasts, LiteFS keeps naming
 * it; requests replayed there would time out.
 */
export function isPrimaryReachable(): boolean {
  const ms = heartbeatAgeMs();
  const { primaryLostAtMs } = litefsState();
  return (
    ms !== null &&
    ms < HEARTBEAT_TIMEOUT_MS &&
    (primaryLostAtMs === null || ms < performance.now() - primaryLostAtMs) &&
    isPrimarySiteResponding()
  );
}
