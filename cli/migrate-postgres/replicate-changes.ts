// Replicates the source's changes to the staging database, across outages of the source.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { sqliteErrorCode } from "#lib/core/sqlite-error.ts";
import {
  ChangeReplicator,
  type ReplicationProgress,
  type ReplicationRun,
} from "./change-replicator.ts";
import { parseLsn, parseMessage } from "./pgoutput.ts";
import { openReplicationStream } from "./replication-stream.ts";
import { closeSource, connectSource, readRows } from "./source-connection.ts";
import { findMetadata, openStagingDatabase } from "./staging-database.ts";

/**
 * How long an outage of the source or a full disk may last. Shorter with `until`, as in a cutover.
 */
export const OUTAGE_TIMEOUT_MS = 600_000;
const CATCH_UP_OUTAGE_TIMEOUT_MS = 60_000;
const RETRY_MS = 500;
const WATCH_INTERVAL_MS = 1_000;

export interface ReplicateChangesOptions {
  readonly url: string;
  /** The staging database. */
  readonly file: string;
  readonly state: ReplicationRun["state"];
  /**
   * An LSN: applies exactly the transactions that committed before it. By default, there is no end.
   */
  readonly until?: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ReplicationProgress) => void;
}

/**
 * Applies changes up to `until` or until the signal aborts, then commits. Returns how many rows
 * changed. Applies each change exactly once, even after a crash: the position is committed with its
 * rows. Throws AppError: conflict for a change that cannot be applied, unavailable if an outage
 * lasts too long.
 */
export async function replicateChanges({
  url,
  file,
  state,
  until,
  signal,
  onProgress,
}: ReplicateChangesOptions): Promise<{ changes: number }> {
  const staging = openStagingDatabase(file, state.id);
  const run: ReplicationRun = {
    url,
    staging,
    state,
    until: until === undefined ? null : parseLsn(until),
    signal,
    onProgress: onProgress ?? (() => {}),
    changes: 0,
    lastHeardMs: performance.now(),
    diskFullSinceMs: null,
    sourceEnd: 0n,
  };
  const watcher = onProgress ? watchSourceEnd(run) : null;
  try {
    while (!signal.aborted) {
      try {
        await replicateOnce(run);
        break;
      } catch (error) {
        if (signal.aborted) break;
        await waitAfterOutage(run, error);
      }
    }
    return { changes: run.changes };
  } finally {
    watcher?.stop();
    await watcher?.stopped;
    staging.close();
  }
}

/**
 * Waits and reports if the error is transient. Throws it otherwise, or if the outage lasts too
 * long.
 */
async function waitAfterOutage(run: ReplicationRun, thrown: unknown): Promise<void> {
  const isDiskFull = sqliteErrorCode(thrown).startsWith("SQLITE_FULL");
  // Each attempt resets lastHeardMs, so the wait for space needs a separate start time.
  if (isDiskFull) run.diskFullSinceMs ??= performance.now();
  const error = isDiskFull
    ? new AppError("unavailable", "The disk is full. Free space.", { cause: thrown })
    : thrown;
  const sinceMs = (isDiskFull ? run.diskFullSinceMs : null) ?? run.lastHeardMs;
  const timeoutMs = run.until === null ? OUTAGE_TIMEOUT_MS : CATCH_UP_OUTAGE_TIMEOUT_MS;
  if (!isAppError(error, "unavailable") || performance.now() - sinceMs > timeoutMs) throw error;
  run.onProgress({ lagBytes: 0, lagSeconds: 0, changes: run.changes, waiting: error.message });
  await sleep(RETRY_MS, undefined, { signal: run.signal }).catch(() => {});
}

/** Updates `run.sourceEnd` every second: the stream itself only reports what was sent. */
function watchSourceEnd(run: ReplicationRun): { stop(): void; readonly stopped: Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  async function watch(): Promise<void> {
    while (!signal.aborted) {
      const client = await connectSource(run.url).catch(() => null);
      try {
        while (client && !signal.aborted) {
          const [row] = await readRows<{ lsn: string }>(
            client,
            "SELECT pg_current_wal_flush_lsn()::text AS lsn",
          );
          run.sourceEnd = parseLsn(row!.lsn);
          await sleep(WATCH_INTERVAL_MS, undefined, { signal });
        }
      } catch {
        // The stream reports the error.
      } finally {
        await closeSource(client);
      }
      await sleep(WATCH_INTERVAL_MS, undefined, { signal }).catch(() => {});
    }
  }
  return { stop: () => stopping.abort(), stopped: watch() };
}

/** Replicates over one connection up to `until` or until the signal aborts. */
async function replicateOnce(run: ReplicationRun): Promise<void> {
  const position = parseLsn(findMetadata(run.staging.db, "position") ?? "");
  const replicator = new ChangeReplicator(run, position);
  const stream = await openReplicationStream({
    url: run.url,
    slot: run.state.slot!,
    publication: run.state.publication!,
    startPosition: position,
    isUrgent: run.until !== null,
    onMessage: (bytes) => replicator.handleMessage(parseMessage(bytes)),
    onReceived: (lsn) => replicator.markReceived(lsn),
    readAppliedPosition: () => replicator.committedPosition,
  });
  const onAbort = () => stream.end();
  run.signal.addEventListener("abort", onAbort);
  if (run.signal.aborted) onAbort();
  try {
    replicator.onEnd(
      () => stream.end(),
      (error) => stream.fail(error),
    );
    await stream.ended;
    replicator.flush({ isLast: true });
    // Lets the slot discard applied WAL, even if nothing more arrives.
    await stream.confirmPosition();
  } finally {
    run.signal.removeEventListener("abort", onAbort);
    replicator.close();
    await stream.close();
  }
}
