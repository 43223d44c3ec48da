// Applies the source's transactions from one replication connection, and commits the position with
// their rows.

import { AppError } from "#lib/core/errors.ts";
import { createChangeApplier } from "./change-applier.ts";
import type { MigrationState } from "./migration-state.ts";
import { type ReplicationMessage, formatLsn } from "./pgoutput.ts";
import { type TupleDecoder, mapRelation } from "./relation-mapping.ts";
import { type StagingDatabase, setMetadata } from "./staging-database.ts";

/** Small transactions share a commit, up to this many changes or this long (group commit). */
const BATCH_CHANGES = 5_000;
const BATCH_MS = 100;
const REPORT_INTERVAL_MS = 250;

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

/** A call of replicateChanges(), which may use several connections. */
export interface ReplicationRun {
  readonly url: string;
  readonly staging: StagingDatabase;
  readonly state: Pick<MigrationState, "id" | "slot" | "publication" | "tables" | "options">;
  readonly until: bigint | null;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ReplicationProgress) => void;
  changes: number;
  /** When the source last sent anything. */
  lastHeardMs: number;
  /** When the disk filled up; null again after a commit. */
  diskFullSinceMs: number | null;
  /** The end of the source's WAL. */
  sourceEnd: bigint;
}

/** Applies the messages of one connection. */
export class ChangeReplicator {
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
      this.#run.diskFullSinceMs = null;
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
