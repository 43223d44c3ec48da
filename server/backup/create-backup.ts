// Takes a snapshot on request: in the running backup process, or in this one if none runs.

import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findBackupStatus } from "#lib/core/backup-status.ts";
import { DAY_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { currentInstance } from "#lib/core/instance.ts";
import type { Archive } from "./archive.ts";
import { isNewSite, openSource } from "./open-source.ts";
import { openWriter } from "./writer.ts";

const requestFile = () => join(env.DATA_DIR, "backup-request");
const POLL_INTERVAL_MS = 200;
const TIMEOUT_MS = 30 * MINUTE_MS;

/** Returns the time of the pending request for a snapshot, or null. */
export const findSnapshotRequest = (): number | null =>
  statSync(requestFile(), { throwIfNoEntry: false })?.mtimeMs ?? null;

/** Removes the request from this time. A newer one stays pending. */
export function closeSnapshotRequest(requestedAtMs: number): void {
  if (findSnapshotRequest() === requestedAtMs) rmSync(requestFile(), { force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Stores a snapshot, and returns its time in milliseconds since the Unix epoch. Throws Error on a
 * replica, or with what failed. Delegates to a running backup process, because two writers would
 * hide each other's transactions.
 */
export async function createBackup(archive: Archive): Promise<number> {
  const before = findBackupStatus();
  if (!before || !isRunning(before.pid)) return createHere(archive);
  if (before.writer !== null && before.writer !== currentInstance())
    throw new Error(`This is a replica. Run it on ${before.writer}.`);
  const requestedAtMs = Date.now();
  writeFileSync(requestFile(), "");
  while (Date.now() - requestedAtMs < TIMEOUT_MS) {
    await sleep(POLL_INTERVAL_MS);
    const status = findBackupStatus();
    if (status?.snapshotAtMs && status.snapshotAtMs >= requestedAtMs) return status.snapshotAtMs;
    if (!existsSync(requestFile()) && status?.problem && status.updatedAtMs >= requestedAtMs)
      throw new Error(status.problem);
  }
  throw new Error("The backup process did not take the snapshot in time. See its log.");
}

async function createHere(archive: Archive): Promise<number> {
  const source = openSource();
  try {
    const writer = await openWriter(archive, source, {
      instance: currentInstance(),
      retentionMs: env.BACKUP_RETENTION_DAYS * DAY_MS,
      isNewSite,
    });
    return (await writer.flush({ isSnapshotDue: true })).snapshotAtMs;
  } finally {
    source.close();
  }
}
