// Applies the source's transactions from the replication stream, and commits the position with
// their rows.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { createChangeApplier } from "./change-applier.ts";
import type { MigrationState } from "./migration-state.ts";
import { type ReplicationMessage, formatLsn, parseLsn, parseMessage } from "./pgoutput.ts";
import { type TupleDecoder, mapRelation } from "./relation-mapping.ts";
import { openReplicationStream } from "./replication-stream.ts";
import { closeSource, connectSource, readRows } from "./source-connection.ts";
import {
  type StagingDatabase,
  findMetadata,
  openStagingDatabase,
  setMetadata,
} from "./staging-database.ts";

/** Small transactions share a commit, up to this many changes or this long (group commit). */
const BATCH_CHANGES = 5_000;
const BATCH_MS = 100;
/**
 * How long an outage of the source or a full disk may last. Shorter with `until`, as in a cutover.
 */
const OUTAGE_TIMEOUT_MS = 600_000;
const CATCH_UP_OUTAGE_TIMEOUT_MS = 60_000;
const RETRY_MS = 500;
const REPORT_INTERVAL_MS = 250;
const WATCH_INTERVAL_MS = 1_000;

export interface ReplicationProgress {
  /** WAL bytes between the applied position and the end of the source's WAL. */
  readonly lagBytes: number;
  /** The age of the last applied transaction; 0 when caught up. */
  readonly lagSeconds: number;
  /** Rows that this call has changed so far. */
  readonly changes: number;
  /** During an outage, the reason for the wait. */
  readonly waiting?: string;
}

export interface ReplicateChangesOptions {
  readonly url: string;
  /** The staging database. */
  readonly file: string;
  readonly state: Pick<MigrationState, "id" | "slot" | "publication" | "tables" | "options">;
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
  const error = /^SQLITE_FULL/.test(String((thrown as { code?: unknown }).code))
    ? new AppError("unavailable", "The disk is full. Free space.", { cause: thrown })
    : thrown;
  const timeoutMs = run.until === null ? OUTAGE_TIMEOUT_MS : CATCH_UP_OUTAGE_TIMEOUT_MS;
  if (!isAppError(error, "unavailable") || performance.now() - run.lastHeardMs > timeoutMs)
    throw error;
  run.onProgress({ lagBytes: 0, lagSeconds: 0, changes: run.changes, waiting: error.message });
  await sleep(RETRY_MS, undefined, { signal: run.signal }).catch(() => {});
}

interface ReplicationRun {
  readonly url: string;
  readonly staging: StagingDatabase;
  readonly state: ReplicateChangesOptions["state"];
  readonly until: bigint | null;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ReplicationProgress) => void;
  changes: number;
  /** When the source last sent anything. */
  lastHeardMs: number;
  /** The end of the source's WAL. */
  sourceEnd: bigint;
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

/** Applies the messages of one connection. */
class ChangeReplicator {
  readonly #run: ReplicationRun;
  readonly #applier;
  readonly #decoders = new Map<number, readonly TupleDecoder[]>();
  readonly #begin;
  readonly #commit;
  /** All transactions that committed before this LSN are applied. */
  #position: bigint;
  /** All transactions that committed before this LSN are on disk: the source may discard them. */
  committedPosition: bigint;
  #receivedPosition: bigint;
  #isInTransaction = false;
  /** True if an earlier connection has applied the current transaction. */
  #isSkipping = false;
  #transactionTimeMs = 0;
  #batchChanges = 0;
  #batchStartMs = 0;
  #isDone = false;
  #flushTimer: NodeJS.Timeout | undefined;
  #lastReportMs = 0;
  #end = () => {};
  #fail = (_: unknown) => {};

  constructor(run: ReplicationRun, position: bigint) {
    const { db } = run.staging;
    this.#run = run;
    this.#applier = createChangeApplier(db, run.state);
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#position = this.committedPosition = this.#receivedPosition = position;
  }

  /**
   * Calls `end` when `until` is reached (immediately if it already is), and `fail` on an error
   * between messages.
   */
  onEnd(end: () => void, fail: (error: unknown) => void): void {
    this.#end = end;
    this.#fail = fail;
    if (this.#isDone) end();
  }

  /** Commits the complete transactions. `isLast` forces a report. */
  flush({ isLast = false } = {}): void {
    const { db } = this.#run.staging;
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    if (this.#isInTransaction && !this.#isSkipping) return;
    if (db.inTransaction) {
      setMetadata(db, "position", formatLsn(this.#position));
      this.#commit.run();
    }
    this.committedPosition = this.#position;
    this.#batchChanges = 0;
    this.#report(isLast);
  }

  /** Rolls back an incomplete transaction. */
  close(): void {
    const { db } = this.#run.staging;
    clearTimeout(this.#flushTimer);
    this.#isDone = true;
    if (db.inTransaction) db.exec("ROLLBACK");
  }

  /** Records that the server has sent everything before `lsn`. */
  markReceived(lsn: bigint): void {
    const { until, staging } = this.#run;
    this.#advanceReceived(lsn);
    if (this.#isDone) return;
    // Between transactions, everything before `lsn` has arrived, so nothing relevant is left before
    // it.
    if (!this.#isInTransaction && !staging.db.inTransaction && lsn > this.#position)
      this.#position = this.committedPosition = lsn;
    this.#report();
    if (until !== null && !this.#isInTransaction && lsn >= until) this.#finish();
  }

  handleMessage(message: ReplicationMessage): void {
    if (this.#isDone) return;
    switch (message.kind) {
      case "begin":
        if (this.#run.until !== null && message.commitLsn >= this.#run.until) return this.#finish();
        this.#isInTransaction = true;
        this.#isSkipping = message.commitLsn < this.#position;
        this.#transactionTimeMs = message.timeMs;
        return;
      case "commit":
        return this.#endTransaction(message.nextLsn);
      case "relation":
        this.#decoders.set(message.relation.id, mapRelation(message.relation, this.#run.state));
        return;
      case "insert":
        return this.#change(message.relation, ({ table, decodeRow }) =>
          this.#applier.insert(table, decodeRow(message.row)),
        );
      case "update":
        return this.#change(message.relation, ({ table, decodeKey, decodePatch }) =>
          this.#applier.update(
            table,
            decodeKey(message.old ?? message.row),
            decodePatch(message.row),
          ),
        );
      case "delete":
        return this.#change(message.relation, ({ table, decodeKey }) =>
          this.#applier.remove(table, decodeKey(message.old)),
        );
      case "truncate":
        return this.#truncate(message.relations);
      case "other":
    }
  }

  #endTransaction(nextLsn: bigint): void {
    if (!this.#isSkipping) this.#applier.endTransaction();
    this.#isInTransaction = false;
    if (this.#isSkipping) return;
    this.#position = nextLsn;
    this.#advanceReceived(nextLsn);
    this.#report();
    const isFull =
      this.#batchChanges >= BATCH_CHANGES ||
      (this.#batchChanges > 0 && performance.now() - this.#batchStartMs > BATCH_MS);
    if (isFull) this.flush();
    else this.#flushTimer ??= setTimeout(() => this.#flushFromTimer(), BATCH_MS);
  }

  #flushFromTimer(): void {
    try {
      this.flush();
    } catch (error) {
      this.#isDone = true;
      this.#fail(error);
    }
  }

  #change(relation: number, apply: (decoder: TupleDecoder) => void): void {
    const decoders = this.#startChange(relation);
    decoders?.forEach(apply);
  }

  #truncate(relations: readonly number[]): void {
    if (relations[0] === undefined || !this.#startChange(relations[0])) return;
    const truncated = relations.flatMap((relation) =>
      (this.#decoders.get(relation) ?? []).map(({ table }) => table),
    );
    this.#applier.truncate(this.#run.state.tables.filter((table) => truncated.includes(table)));
  }

  /**
   * Opens a transaction if needed. Returns the relation's decoders, or null if the change is
   * already applied.
   */
  #startChange(relation: number): readonly TupleDecoder[] | null {
    if (this.#isSkipping) return null;
    const decoders = this.#decoders.get(relation);
    if (!decoders)
      throw new AppError(
        "conflict",
        "The stream refers to a table that it did not describe. Abort, then copy again.",
      );
    if (!this.#run.staging.db.inTransaction) {
      this.#begin.run();
      this.#batchStartMs = performance.now();
    }
    this.#batchChanges += 1;
    this.#run.changes += 1;
    return decoders;
  }

  #advanceReceived(lsn: bigint): void {
    this.#run.lastHeardMs = performance.now();
    if (lsn > this.#receivedPosition) this.#receivedPosition = lsn;
  }

  #finish(): void {
    this.#isDone = true;
    this.#end();
  }

  #report(isLast = false): void {
    const { until, sourceEnd, changes, onProgress } = this.#run;
    const nowMs = performance.now();
    if (nowMs - this.#lastReportMs < REPORT_INTERVAL_MS && !isLast) return;
    this.#lastReportMs = nowMs;
    const received = this.#receivedPosition;
    const endPosition = until ?? (sourceEnd > received ? sourceEnd : received);
    const lagBytes = endPosition > this.#position ? Number(endPosition - this.#position) : 0;
    const isBehind = lagBytes > 0 && this.#transactionTimeMs > 0;
    const lagSeconds = isBehind ? Math.max(0, (Date.now() - this.#transactionTimeMs) / 1000) : 0;
    onProgress({ lagBytes, lagSeconds, changes });
  }
}
