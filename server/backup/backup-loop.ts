// Keeps the backup current while this instance is the primary, and otherwise watches it.

import { statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "#lib/core/clock.ts";
import { type BackupStatus, backupIntervalMs, writeBackupStatus } from "#lib/core/backup-status.ts";
import { env } from "#lib/core/env.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import { log } from "#lib/core/log.ts";
import type { Archive } from "./archive.ts";
import { type ChangeSource, NotPrimaryError, PostponedError } from "./change-source.ts";
import { closeSnapshotRequest, findSnapshotRequest } from "./create-backup.ts";
import { DRILL_JITTER_MS, isDrillDue } from "./drill-schedule.ts";
import { ObjectStoreError } from "./object-store.ts";
import { isNewSite, openSource } from "./open-source.ts";
import { findHeartbeat, findLastDrill } from "./observe.ts";
import { WalSource } from "./wal-source.ts";
import { type BackupWriter, openWriter } from "./writer.ts";

const POLL_INTERVAL_MS = SECOND_MS;
const OBSERVE_INTERVAL_MS = MINUTE_MS;
/** Each drill downloads the whole backup. */
const DRILL_RETRY_MS = HOUR_MS;
/** The launcher waits this long for the final upload. */
const FINAL_FLUSH_MS = 5_000;

async function isPrimary(): Promise<boolean> {
  if (!env.REPLICATION) return true;
  return (await fetchLitefsNodeState(env.LITEFS_URL, basename(env.DATABASE_FILE))).isPrimary;
}

/** Deletes copies of the database that killed drills left behind. */
async function deleteDrillCopies(): Promise<void> {
  await rm(join(env.DATA_DIR, "backup-drill"), { recursive: true, force: true });
  const manual = join(env.DATA_DIR, "backup-drill-manual");
  const createdAtMs = statSync(manual, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
  // A newer copy may belong to a drill that is still running.
  if (Date.now() - createdAtMs > DAY_MS) await rm(manual, { recursive: true, force: true });
}

/** Runs until `signal` aborts. `startDrill` runs a drill in another process. */
export async function runBackupLoop(
  archive: Archive,
  signal: AbortSignal,
  startDrill: () => Promise<void>,
): Promise<void> {
  const instance = currentInstance();
  const startedAtMs = Date.now();
  let source: ChangeSource | null = null;
  let writer: BackupWriter | null = null;
  let observedAtMs = -Infinity;
  let flushedAtMs = -Infinity;
  let drillAtMs: number | null = null;
  let isDrilling = false;
  let status: BackupStatus = {
    completeAtMs: null,
    snapshotAtMs: null,
    writer: null,
    problem: null,
    drill: null,
    pid: process.pid,
    updatedAtMs: Date.now(),
  };

  function report(change: Partial<BackupStatus>): void {
    const { problem } = status;
    status = { ...status, ...change, updatedAtMs: Date.now() };
    try {
      writeBackupStatus(status);
    } catch (error) {
      // On a full disk, the backup matters more than its status.
      log("error", "backup.status_not_written", { error });
    }
    if (status.problem !== problem)
      if (status.problem) log("error", "backup.failed", { error: status.problem });
      else log("info", "backup.recovered", { complete_at: status.completeAtMs });
  }

  function closeSource(): void {
    source?.close();
    source = writer = null;
  }

  async function flush(isSnapshotDue = false): Promise<void> {
    const retentionMs = env.BACKUP_RETENTION_DAYS * DAY_MS;
    source ??= openSource();
    try {
      writer ??= await openWriter(archive, source, { instance, retentionMs, isNewSite });
      const { completeAtMs, snapshotAtMs } = await writer.flush({ isSnapshotDue });
      report({ completeAtMs, snapshotAtMs, writer: instance, problem: null });
    } finally {
      if (source instanceof WalSource) source.start();
    }
  }

  async function observe(isWriter: boolean): Promise<void> {
    const heartbeat = isWriter ? null : await findHeartbeat(archive);
    const drill = await findLastDrill(archive);
    report({
      drill,
      ...(heartbeat && {
        completeAtMs: heartbeat.completeAtMs,
        snapshotAtMs: heartbeat.snapshotAtMs,
        writer: heartbeat.writer,
      }),
      ...(!isWriter && { problem: null }),
    });
  }

  /** Starts a drill if one is due, without waiting for it. */
  function considerDrill(isWriter: boolean): void {
    const nowMs = Date.now();
    const isDue =
      status.completeAtMs !== null &&
      isDrillDue({
        intervalDays: env.BACKUP_DRILL_DAYS,
        lastDrillAtMs: status.drill?.startedAtMs ?? null,
        isPrimary: isWriter,
        isReplicated: env.REPLICATION,
        startedAtMs,
        nowMs,
      });
    if (!isDue) drillAtMs = null;
    else drillAtMs ??= nowMs + (env.REPLICATION ? Math.random() * DRILL_JITTER_MS : 0);
    if (isDrilling || drillAtMs === null || nowMs < drillAtMs) return;
    isDrilling = true;
    void startDrill()
      .catch((error: unknown) => {
        log("error", "backup.drill_failed", { error });
        drillAtMs = Date.now() + DRILL_RETRY_MS;
      })
      .finally(() => {
        isDrilling = false;
        observedAtMs = -Infinity;
      });
  }

  async function tick(): Promise<void> {
    const isWriter = await isPrimary();
    if (!isWriter) closeSource();
    const nowMs = performance.now();
    const requestedAtMs = isWriter ? findSnapshotRequest() : null;
    const isDue = nowMs - flushedAtMs >= backupIntervalMs();
    if (isWriter && (isDue || requestedAtMs !== null)) {
      flushedAtMs = nowMs;
      let isPostponed = false;
      try {
        await flush(requestedAtMs !== null);
      } catch (error) {
        isPostponed = error instanceof PostponedError;
        throw error;
      } finally {
        if (requestedAtMs !== null && !isPostponed) closeSnapshotRequest(requestedAtMs);
      }
    }
    if (nowMs - observedAtMs < OBSERVE_INTERVAL_MS) return;
    observedAtMs = nowMs;
    await observe(isWriter);
    considerDrill(isWriter);
  }

  await deleteDrillCopies().catch((error: unknown) =>
    log("warn", "backup.drill_not_deleted", { error }),
  );
  while (!signal.aborted) {
    try {
      await tick();
    } catch (error) {
      if (error instanceof NotPrimaryError) closeSource();
      else {
        // Otherwise, the source keeps its transactions.
        if (!(error instanceof ObjectStoreError || error instanceof PostponedError)) closeSource();
        report({ problem: (error as Error).message });
      }
    }
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  if (writer)
    await Promise.race([flush(), sleep(FINAL_FLUSH_MS)]).catch((error: unknown) =>
      log("error", "backup.failed", { error }),
    );
  closeSource();
}
