// Refuses writes while the disk of LiteFS is almost full. On a full disk, LiteFS exits during a
// commit after SQLite has reported success (CommitWAL in db.go of LiteFS v0.5.14).

import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";

/** Many times the largest batch, since LiteFS stores each transaction twice. */
const MIN_FREE_BYTES = 16 * 1_048_576;
const CHECK_INTERVAL_MS = 1_000;
const LOG_INTERVAL_MS = 60_000;

/** Returns the free bytes on the disk of `folder`; null if unknown. */
export function readFreeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

let lastCheckMs = -Infinity;
let lastLogMs = -Infinity;
let lastFreeBytes: number | null = null;

/**
 * Returns the free bytes on the disk of the replicated database, at most one second old; null if
 * unknown.
 */
export function freeDiskBytes(): number | null {
  const now = performance.now();
  if (now - lastCheckMs < CHECK_INTERVAL_MS) return lastFreeBytes;
  lastCheckMs = now;
  // The store belongs to LiteFS's user; its parent folder to the site's.
  lastFreeBytes = readFreeBytes(env.LITEFS_DATA_DIR ? dirname(env.LITEFS_DATA_DIR) : env.DATA_DIR);
  return lastFreeBytes;
}

/** Returns true if too little is free to save changes; false if unknown. */
export function isDiskFull(): boolean {
  return (freeDiskBytes() ?? Infinity) < MIN_FREE_BYTES;
}

/**
 * Throws AppError(unavailable) if less than `minBytes` (default 16 MB) is free. Only LiteFS needs
 * it: SQLite alone handles a full disk.
 */
export function assertDiskSpace(minBytes = MIN_FREE_BYTES): void {
  const bytes = freeDiskBytes();
  if (bytes === null || bytes >= minBytes) return;
  if (performance.now() - lastLogMs > LOG_INTERVAL_MS) {
    lastLogMs = performance.now();
    log("error", "disk.full", { freeBytes: bytes, neededBytes: minBytes });
  }
  throw new AppError(
    "unavailable",
    "Changes can't be saved right now: the disk is full. You can still read; try again later.",
    { retryAfterSeconds: 60 },
  );
}
