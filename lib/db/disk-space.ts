// Whether there is room for a write on the disk that LiteFS keeps its copy on.
// A commit that finds none ends LiteFS (db.go of v0.5.14, CommitWAL), and with it the site, after SQLite was told that it is made.
// So writes are refused while some is left.

import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";

/** Many times the largest batch of writes, twice (LiteFS keeps each transaction beside the file that it changes). */
const MIN_FREE_BYTES = 16 * 1_048_576;
const CHECK_INTERVAL_MS = 1_000;
const LOG_INTERVAL_MS = 60_000;

/** What is free on the disk of `folder`, in bytes; null where that can't be said. */
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

/** What is free on the disk of the replicated database, in bytes, as of the last second; null where that can't be said. */
export function freeDiskBytes(): number | null {
  const now = performance.now();
  if (now - lastCheckMs < CHECK_INTERVAL_MS) return lastFreeBytes;
  lastCheckMs = now;
  // The store belongs to LiteFS' user; the folder around it is ours.
  lastFreeBytes = readFreeBytes(env.LITEFS_DATA_DIR ? dirname(env.LITEFS_DATA_DIR) : env.DATA_DIR);
  return lastFreeBytes;
}

/** Throws AppError(unavailable) while there is less than 16 MB left. Looks once a second. For a replicated database: SQLite alone copes with a full disk. */
export function assertDiskSpace(minBytes = MIN_FREE_BYTES): void {
  const bytes = freeDiskBytes();
  if (bytes === null || bytes >= minBytes) return;
  if (performance.now() - lastLogMs > LOG_INTERVAL_MS) {
    lastLogMs = performance.now();
    log("error", "disk.full", { freeBytes: bytes, neededBytes: minBytes });
  }
  throw new AppError(
    "unavailable",
    "Nothing can be written just now: there is no room on the disk. Reading goes on; try again later.",
    { retryAfterSeconds: 60 },
  );
}
