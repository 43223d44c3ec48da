// Writes the backup while this instance is the primary: transactions as they are committed, a daily
// snapshot, and a heartbeat.

import { DAY_MS, MINUTE_MS } from "#lib/core/clock.ts";
import {
  type Archive,
  type TimelineInfo,
  listTimelines,
  putJson,
  putSealed,
  putTimeline,
  segmentName,
  timelineId,
  timelineTimeMs,
} from "./archive.ts";
import type { ChangeSource } from "./change-source.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import type { LtxFile } from "./ltx.ts";
import { GapError, planRestore } from "./plan-restore.ts";
import { pruneArchive } from "./prune.ts";
import { packSegment } from "./segment.ts";
import { uploadSnapshot } from "./snapshot.ts";
import { log } from "#lib/core/log.ts";

/** The object `status`: when the store was last complete. */
export interface BackupHeartbeat {
  readonly completeAtMs: number;
  readonly snapshotAtMs: number;
  readonly writer: string;
  readonly txid: number;
}

export const HEARTBEAT_NAME = "status";

const HEARTBEAT_INTERVAL_MS = MINUTE_MS;
const SNAPSHOT_INTERVAL_MS = DAY_MS;

export interface BackupWriter {
  /** Stores everything that was committed. Resolves to the heartbeat in the store. */
  flush(options?: { isSnapshotDue?: boolean }): Promise<BackupHeartbeat>;
}

export interface WriterOptions {
  readonly instance: string;
  readonly retentionMs: number;
  /** True if no one has signed up, as on a machine that lost its data. */
  readonly isNewSite: () => boolean;
}

/**
 * Continues the newest timeline as a fork of it, or starts one with a snapshot. Two writers never
 * share a timeline, so a former primary that doesn't know about the failover yet does no harm.
 */
export async function openWriter(
  archive: Archive,
  source: ChangeSource,
  { instance, retentionMs, isNewSite }: WriterOptions,
): Promise<BackupWriter> {
  await source.assertPrimary();
  /** undefined if an object is missing from it, so that only a snapshot can continue. */
  const newest = await planRestore(archive).catch((error: unknown) => {
    if (!(error instanceof GapError)) throw error;
    log("error", "backup.gap", { error });
    return undefined;
  });
  const changes = newest && (await source.readChanges(newest.end));
  let timeline = "";
  let position: Position = { txid: 0, checksum: "" };
  let snapshotAtMs = 0;
  let snapshotTxid = 0;
  let heartbeatAtMs = 0;
  /** True while the timeline has no snapshot, so that nothing else may be written to it. */
  let isSnapshotMissing = false;
  /** True from a snapshot until the next attempt to delete old objects. */
  let isPruneDue = false;
  /** What the last attempt may have stored without a response; the next attempt sends the same. */
  let unconfirmed: readonly LtxFile[] | null = null;

  /** Starts a timeline that is newer than all others. */
  async function createTimeline(timeMs: number, parent: TimelineInfo["parent"]): Promise<void> {
    const latest = (await listTimelines(archive)).at(-1);
    const id = timelineId(Math.max(timeMs, latest ? timelineTimeMs(latest) + 1 : 0), instance);
    await source.assertPrimary();
    await putTimeline(archive, id, { parent, instance });
    timeline = id;
    log("info", "backup.timeline", { timeline, parent: parent?.timeline ?? null });
  }

  async function takeSnapshot(isNewTimeline: boolean): Promise<void> {
    const startedMs = performance.now();
    const database = await source.freeze();
    snapshotTxid = database.position.txid;
    try {
      if (isNewTimeline) {
        isSnapshotMissing = true;
        unconfirmed = null;
        await createTimeline(database.timeMs, null);
        position = database.position;
      }
      await uploadSnapshot(archive, timeline, database, () => source.assertPrimary());
      snapshotAtMs = database.timeMs;
      isSnapshotMissing = false;
      isPruneDue = true;
      log("info", "backup.snapshot", {
        txid: database.position.txid,
        bytes: database.bytes,
        ms: Math.round(performance.now() - startedMs),
      });
    } finally {
      database.release();
    }
  }

  async function storeSegment(files: readonly LtxFile[]): Promise<void> {
    const [first, last] = [files[0]!, files.at(-1)!];
    const { maxTxid, timeMs, checksumAfter } = last;
    const name = segmentName(timeline, { minTxid: first.minTxid, maxTxid, timeMs, checksumAfter });
    await source.assertPrimary();
    await putSealed(archive, name, packSegment(files));
    position = { txid: maxTxid, checksum: checksumAfter };
  }

  /** Returns false if only a snapshot can continue. */
  async function storeChanges(): Promise<boolean> {
    for (;;) {
      const files = unconfirmed ?? (await source.readChanges(position));
      if (!files) return false;
      if (files.length === 0) return true;
      // No segment may span the snapshot, because a restore reads only those that start after it.
      const earlier = files.filter(({ maxTxid }) => maxTxid <= snapshotTxid);
      unconfirmed = earlier.length > 0 ? earlier : files;
      await storeSegment(unconfirmed);
      unconfirmed = null;
    }
  }

  if (newest && changes) {
    const { timeline: parent, end, snapshot } = newest;
    const { txid, checksum } = end;
    // The timeline starts before its first transaction, so that a restore to that time finds it.
    const beginsMs = Math.min(Date.now(), changes[0]?.timeMs ?? Infinity);
    await createTimeline(beginsMs, { timeline: parent, position: { txid, checksum } });
    position = { txid, checksum };
    snapshotAtMs = snapshot.timeMs;
  } else {
    if (newest !== null && isNewSite())
      throw new Error(
        "Nothing is backed up: this site is new, but the object store has the backup of another one. Restore that (docs/runbooks/restore.md), or choose another prefix in BACKUP_BUCKET.",
      );
    await takeSnapshot(true);
  }

  return {
    async flush({ isSnapshotDue = false } = {}) {
      const fromMs = Date.now();
      if (isSnapshotMissing || !(await storeChanges())) {
        log("warn", "backup.gap", { after: position.txid });
        await takeSnapshot(true);
      }
      if (isSnapshotDue || fromMs - snapshotAtMs > SNAPSHOT_INTERVAL_MS) await takeSnapshot(false);
      if (isPruneDue) {
        isPruneDue = false;
        // The backup is complete even if this fails. The next snapshot tries again.
        await pruneArchive(archive, fromMs - retentionMs).catch((error: unknown) =>
          log("error", "backup.not_pruned", { error }),
        );
      }
      const heartbeat = {
        completeAtMs: fromMs,
        snapshotAtMs,
        writer: instance,
        txid: position.txid,
      };
      if (fromMs - heartbeatAtMs > HEARTBEAT_INTERVAL_MS) {
        await source.assertPrimary();
        await putJson(archive, HEARTBEAT_NAME, heartbeat);
        heartbeatAtMs = fromMs;
      }
      return heartbeat;
    },
  };
}
