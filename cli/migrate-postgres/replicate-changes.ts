// Applies what was written in the source since the copy, transaction by transaction, and keeps how far it came beside what it applied.

import { setTimeout as sleep } from "node:timers/promises";
import { type RelationMapping, mapRelation } from "./relation-mapping.ts";
import { createChangeApplier } from "./change-applier.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { type ReplicationMessage, formatLsn, parseLsn, parseMessage } from "./pgoutput.ts";
import type { MigrationState } from "./migration-state.ts";
import { connectSource, closeSource, readRows } from "./source-connection.ts";
import { openReplicationStream } from "./replication-stream.ts";
import {
  type StagingDatabase,
  findMetadata,
  openStagingDatabase,
  setMetadata,
} from "./staging-database.ts";

/** Small transactions share a commit, up to so many changes or so long. */
const BATCH_CHANGES = 5_000;
const BATCH_MS = 100;
/** A source that restarts, and a disk that is full, are waited for; less where somebody waits for the end. */
const OUTAGE_TIMEOUT_MS = 600_000;
const CATCH_UP_OUTAGE_TIMEOUT_MS = 60_000;
const RETRY_MS = 500;
const REPORT_INTERVAL_MS = 250;
const WATCH_INTERVAL_MS = 1_000;

export interface ReplicationProgress {
  /** Of the source's log, between its end and what is applied. */
  readonly lagBytes: number;
  /** How old the last applied transaction is while there is more. */
  readonly lagSeconds: number;
  /** Rows changed so far by this call. */
  readonly changes: number;
  /** What is waited for. */
  readonly waiting?: string;
}

export interface ReplicateChangesOptions {
  readonly url: string;
  /** The working file. */
  readonly file: string;
  readonly state: Pick<MigrationState, "id" | "slot" | "publication" | "tables" | "choices">;
  /** A place in the log: all transactions whose commit stands before it are applied, and none after. Without it there is no end. */
  readonly until?: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ReplicationProgress) => void;
}

/**
 * Follows the source until `until`, or `signal`: then what came is committed, and it returns. Killed at any moment, the next call goes on exactly where the file
 * is: a position is committed with the rows that lead to it. Waits up to ten minutes for a source that is away. Returns how many rows were changed.
 * Throws AppError(conflict) for what can't be applied, AppError(unavailable) where the source stays away.
 */
export async function replicateChanges({
  url,
  file,
  state,
  until,
  signal,
  onProgress,
}: ReplicateChangesOptions): Promise<{ changes: number }> {
  const working = openStagingDatabase(file, state.id);
  let watching: ReturnType<typeof watchSourceEnd> | null = null;
  try {
    const run: ReplicationRun = {
      url,
      staging: working,
      state,
      until: until === undefined ? null : parseLsn(until),
      signal,
      onProgress: onProgress ?? (() => {}),
      changes: 0,
      lastHeardMs: performance.now(),
      sourceEnd: 0n,
    };
    if (onProgress) watching = watchSourceEnd(run);
    while (!signal.aborted) {
      try {
        if (await replicateOnce(run)) break;
      } catch (thrown) {
        if (signal.aborted) break;
        const error = /^SQLITE_FULL/.test(String((thrown as { code?: unknown }).code))
          ? new AppError("unavailable", "The disk is full. Make room.", { cause: thrown })
          : thrown;
        if (
          !isAppError(error, "unavailable") ||
          performance.now() - run.lastHeardMs >
            (run.until === null ? OUTAGE_TIMEOUT_MS : CATCH_UP_OUTAGE_TIMEOUT_MS)
        )
          throw error;
        run.onProgress({
          lagBytes: 0,
          lagSeconds: 0,
          changes: run.changes,
          waiting: error.message,
        });
        await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
    return { changes: run.changes };
  } finally {
    watching?.stop();
    await watching?.stopped;
    working.close();
  }
}

interface ReplicationRun {
  readonly url: string;
  readonly staging: StagingDatabase;
  readonly state: ReplicateChangesOptions["state"];
  readonly until: bigint | null;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ReplicationProgress) => void;
  changes: number;
  /** When the source was last heard of. */
  lastHeardMs: number;
  /** Of its log. */
  sourceEnd: bigint;
}

/** Keeps `run.end` true to a second: the stream tells only how far it was sent. */
function watchSourceEnd(run: ReplicationRun): { stop(): void; readonly stopped: Promise<void> } {
  const stopping = new AbortController();
  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const client = await connectSource(run.url).catch(() => null);
      try {
        while (client && !stopping.signal.aborted) {
          const [row] = await readRows<{ at: string }>(
            client,
            "SELECT pg_current_wal_flush_lsn()::text AS at",
          );
          run.sourceEnd = parseLsn(row!.at);
          await sleep(WATCH_INTERVAL_MS, undefined, { signal: stopping.signal });
        }
      } catch {
        // The stream says what is wrong.
      } finally {
        await closeSource(client);
      }
      await sleep(WATCH_INTERVAL_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }
  return { stop: () => stopping.abort(), stopped: watch() };
}

/** One connection's stream. Returns true at its end: `until`, or the signal. */
async function replicateOnce(run: ReplicationRun): Promise<boolean> {
  const { db } = run.staging;
  const position = parseLsn(findMetadata(db, "position") ?? "");
  const follower = createChangeReplicator(run, position);
  const stream = await openReplicationStream({
    url: run.url,
    slot: run.state.slot!,
    publication: run.state.publication!,
    startPosition: position,
    isUrgent: run.until !== null,
    onMessage: (bytes) => follower.handleMessage(parseMessage(bytes)),
    onReceived: (end) => follower.markReceived(end),
    readAppliedPosition: () => follower.confirmedPosition(),
  });
  const onAbort = () => stream.end();
  run.signal.addEventListener("abort", onAbort);
  if (run.signal.aborted) onAbort();
  try {
    follower.onEnd(
      () => stream.end(),
      (error) => stream.fail(error),
    );
    await stream.ended;
    follower.flush(true);
    // The slot may forget what is applied, also when nothing more comes.
    await stream.confirmPosition();
    return true;
  } finally {
    run.signal.removeEventListener("abort", onAbort);
    follower.close();
    await stream.close();
  }
}

interface ChangeReplicator {
  /** Calls `end` when `until` is reached, at once where it has been: much may come before anybody asks. Calls `fail` for what fails between two messages. */
  onEnd(end: () => void, fail: (error: unknown) => void): void;
  handleMessage(message: ReplicationMessage): void;
  /** The server has sent all before `sent`. */
  markReceived(sent: bigint): void;
  /** Commits what is whole; says how far it came where it is the last time. */
  flush(isLast?: boolean): void;
  /** Up to here the source may forget. */
  confirmedPosition(): bigint;
  /** Takes back what is not whole. */
  close(): void;
}

function createChangeReplicator(run: ReplicationRun, from: bigint): ChangeReplicator {
  const { db } = run.staging;
  const applier = createChangeApplier(db, run.state);
  const bindings = new Map<number, RelationMapping>();
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  let position = from;
  let committed = from;
  let seen = from;
  /** Of the transaction that is being received. */
  let isWithin = false;
  let isPassedOver = false;
  let timeMs = 0;
  let batch = 0;
  let sinceMs = 0;
  let isDone = false;
  let timer: NodeJS.Timeout | undefined;
  let reportedMs = 0;

  let end = () => {};
  let fail = (_: unknown) => {};

  function onEnd(then: () => void, otherwise: (error: unknown) => void): void {
    end = then;
    fail = otherwise;
    if (isDone) end();
  }

  function flushLater(): void {
    try {
      flush();
    } catch (error) {
      isDone = true;
      fail(error);
    }
  }

  function done(): void {
    isDone = true;
    end();
  }

  function report(isLast = false): void {
    const nowMs = performance.now();
    if (nowMs - reportedMs < REPORT_INTERVAL_MS && !isLast) return;
    reportedMs = nowMs;
    const end = run.until ?? (run.sourceEnd > seen ? run.sourceEnd : seen);
    const lagBytes = end > position ? Number(end - position) : 0;
    run.onProgress({
      lagBytes,
      lagSeconds: lagBytes > 0 && timeMs > 0 ? Math.max(0, (Date.now() - timeMs) / 1000) : 0,
      changes: run.changes,
    });
  }

  function flush(isLast = false): void {
    clearTimeout(timer);
    timer = undefined;
    if (isWithin && !isPassedOver) return;
    if (db.inTransaction) {
      setMetadata(db, "position", formatLsn(position));
      commit.run();
    }
    committed = position;
    batch = 0;
    report(isLast);
  }

  function close(): void {
    clearTimeout(timer);
    isDone = true;
    if (db.inTransaction) db.exec("ROLLBACK");
  }

  function see(sent: bigint): void {
    run.lastHeardMs = performance.now();
    if (sent > seen) seen = sent;
    if (isDone) return;
    // Between transactions everything before it has come, and holds nothing of ours after what is applied.
    if (!isWithin && !db.inTransaction && sent > position) position = committed = sent;
    report();
    if (run.until !== null && !isWithin && sent >= run.until) done();
  }

  function change(relation: number, work: (binding: RelationMapping) => void): void {
    if (isPassedOver) return;
    const binding = bindings.get(relation);
    if (!binding)
      throw new AppError(
        "conflict",
        "The stream names a table that it did not describe. Abort, and copy again.",
      );
    if (!db.inTransaction) {
      begin.run();
      sinceMs = performance.now();
    }
    work(binding);
    batch += 1;
    run.changes += 1;
  }

  function take(message: ReplicationMessage): void {
    if (isDone) return;
    switch (message.kind) {
      case "begin":
        if (run.until !== null && message.at >= run.until) return done();
        isWithin = true;
        isPassedOver = message.at < position;
        ({ timeMs } = message);
        return;
      case "commit":
        if (!isPassedOver) applier.endTransaction();
        isWithin = false;
        if (isPassedOver) return;
        position = message.end;
        if (position > seen) seen = position;
        run.lastHeardMs = performance.now();
        report();
        if (batch >= BATCH_CHANGES || (batch > 0 && performance.now() - sinceMs > BATCH_MS))
          flush();
        else timer ??= setTimeout(flushLater, BATCH_MS);
        return;
      case "relation":
        bindings.set(message.relation.id, mapRelation(message.relation, run.state));
        return;
      case "insert":
        return change(message.relation, ({ decoders }) =>
          decoders.forEach((move) => applier.insert(move.table, move.decodeRow(message.row))),
        );
      case "update":
        return change(message.relation, ({ decoders }) =>
          decoders.forEach((move) =>
            applier.update(
              move.table,
              move.decodeKey(message.old ?? message.row),
              move.decodePatch(message.row),
            ),
          ),
        );
      case "delete":
        return change(message.relation, ({ decoders }) =>
          decoders.forEach((move) => applier.remove(move.table, move.decodeKey(message.old))),
        );
      case "truncate": {
        const emptied = message.relations.flatMap(
          (relation) => bindings.get(relation)?.decoders.map(({ table }) => table) ?? [],
        );
        const ordered = run.state.tables.filter((table) => emptied.includes(table));
        if (message.relations[0] !== undefined)
          change(message.relations[0], () => applier.truncate(ordered));
        return;
      }
      case "other":
    }
  }

  return {
    onEnd,
    handleMessage: take,
    markReceived: see,
    flush,
    confirmedPosition: () => committed,
    close,
  };
}
