// Reads and writes the backup status of this instance: a file in DATA_DIR that the backup process
// (server/backup) writes, and that /admin, /metrics, doctor and the alerts read.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DAY_MS, MINUTE_MS, SECOND_MS, nowMs } from "./clock.ts";
import { env } from "./env.ts";

const drillSchema = z.object({
  /** Times in milliseconds since the Unix epoch. */
  startedAtMs: z.number(),
  instance: z.string(),
  /** Empty if the restored database passed every check. */
  problems: z.array(z.string()),
  /** How long the restore took, and the restore with its checks. */
  restoreMs: z.number(),
  totalMs: z.number(),
  /** Of the restored database. */
  bytes: z.number(),
  rows: z.number(),
  /** Time of its newest transaction. */
  stateAtMs: z.number(),
});

const statusSchema = z.object({
  /** When the object store was last complete; null before the first time. */
  completeAtMs: z.number().nullable(),
  /** When the newest snapshot was taken. */
  snapshotAtMs: z.number().nullable(),
  /** The instance that writes the backup. */
  writer: z.string().nullable(),
  /** Why the last attempt failed; null if it succeeded. */
  problem: z.string().nullable(),
  drill: drillSchema.nullable(),
  /** The backup process of this instance. */
  pid: z.number(),
  /** When it wrote the file. */
  updatedAtMs: z.number(),
});

export type DrillResult = z.output<typeof drillSchema>;
export type BackupStatus = z.output<typeof statusSchema>;

/** How late a backup may be. An upload and a failover take less. */
const MAX_DELAY_MS = 15 * MINUTE_MS;

/** LiteFS deletes transactions after ten minutes (retention in litefs.yml). */
const MAX_CLUSTER_INTERVAL_MS = 5 * MINUTE_MS;

/** Returns BACKUP_INTERVAL_SECONDS in milliseconds; in a cluster, at most 5 minutes. */
export const backupIntervalMs = (): number =>
  Math.min(
    env.BACKUP_INTERVAL_SECONDS * SECOND_MS,
    env.REPLICATION ? MAX_CLUSTER_INTERVAL_MS : Infinity,
  );

export const isBackupOn = (): boolean => env.BACKUP_BUCKET !== undefined;

const statusFile = () => join(env.DATA_DIR, "backup-status.json");

/** Returns null if the backup process has not run here yet, or the file is damaged. */
export function findBackupStatus(): BackupStatus | null {
  try {
    return statusSchema.parse(JSON.parse(readFileSync(statusFile(), "utf8")));
  } catch {
    return null;
  }
}

/** Replaces the file atomically. */
export function writeBackupStatus(status: BackupStatus): void {
  const partial = `${statusFile()}.partial`;
  writeFileSync(partial, JSON.stringify(status), { mode: 0o600 });
  renameSync(partial, statusFile());
}

export type BackupProblem = "no_backup" | "old_backup" | "failed_drill" | "old_drill";

/**
 * Returns the backup's problems, most urgent first. `sinceMs` is when the instance started: a
 * missing or old backup is not a problem until an interval and MAX_DELAY_MS later.
 */
export function findBackupProblems(
  status: BackupStatus | null,
  sinceMs: number,
): readonly BackupProblem[] {
  const now = nowMs();
  const problems: BackupProblem[] = [];
  const completeAtMs = status?.completeAtMs ?? null;
  const maxAgeMs = backupIntervalMs() + MAX_DELAY_MS;
  if (now - Math.max(completeAtMs ?? 0, sinceMs) > maxAgeMs)
    problems.push(completeAtMs === null ? "no_backup" : "old_backup");
  const drill = status?.drill ?? null;
  if (drill && drill.problems.length > 0) problems.push("failed_drill");
  // Twice the interval, because a drill waits for a replica and for a backup to restore.
  else if (
    drill &&
    now - drill.startedAtMs > 2 * env.BACKUP_DRILL_DAYS * DAY_MS &&
    env.BACKUP_DRILL_DAYS > 0
  )
    problems.push("old_drill");
  return problems;
}
