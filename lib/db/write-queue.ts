// Queues writes on one connection with group commit: jobs that arrive together share a transaction,
// each in its own savepoint, and resolve after the commit.

import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { registerGauge, observeHistogram } from "#lib/core/metrics.ts";
import { type TransactionScope, runInScope } from "./transaction-scope.ts";
import type { Connection } from "./connection.ts";
import { isBusy, isCorrupt } from "#lib/core/sqlite-error.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";

interface WriteJob {
  run(scope: TransactionScope): unknown;
  resolve(value: CommittedWrite<unknown>): void;
  reject(error: unknown): void;
  readonly enqueuedAtMs: number;
  readonly timeoutMs: number;
}

/** A batch commits after this time even if more jobs wait, so that no job waits long for others. */
const MAX_BATCH_MS = 50;
/**
 * Maximum group commit delay. During a burst the next batch waits as long as the last COMMIT took:
 * on LiteFS a commit costs several milliseconds, whatever its size.
 */
const MAX_GROUP_COMMIT_DELAY_MS = 20;
/** A burst ends if no batch has committed for this long. */
const BURST_WINDOW_MS = 100;
/** Backpressure: jobs beyond this are refused immediately, so that memory stays bounded. */
const MAX_QUEUED = 10_000;
/**
 * How long BEGIN IMMEDIATE retries while another process (a migration, a backup) holds the write
 * lock.
 */
const BUSY_DEADLINE_MS = 5_000;

/** Returns the error for a commit that a new primary may lack. */
export const uncertainWriteError = () =>
  new AppError(
    "unavailable",
    "We can't confirm that this was saved. Wait a few seconds, then try again.",
    { retryAfterSeconds: 5 },
  );

interface CommittedWrite<T> {
  readonly value: T;
  /** LiteFS's position after the commit; undefined without LiteFS. */
  readonly position: Position | undefined;
}

export interface WriteQueue {
  /**
   * Resolves after the commit. Rejects with the error of `run`, whose writes are rolled back, or
   * with AppError(unavailable).
   */
  enqueue<T>(
    run: (scope: TransactionScope) => T | Promise<T>,
    timeoutMs: number,
  ): Promise<CommittedWrite<T>>;
  readonly length: number;
}

/**
 * Creates a write queue. `readPosition` is called once after each commit, and returns LiteFS's
 * position: null if it can't be read, and undefined without LiteFS.
 */
export function createWriteQueue(
  connection: () => Promise<Connection>,
  readPosition: () => Position | null | undefined,
): WriteQueue {
  const jobs: WriteJob[] = [];
  let isDraining = false;
  let lastBatch: CommittedBatch = { size: 0, commitMs: 0, committedAtMs: 0 };
  registerGauge("write_queue_length", () => jobs.length);

  async function drain(): Promise<void> {
    while (jobs.length > 0) {
      if (
        lastBatch.size > 1 &&
        lastBatch.commitMs >= 1 &&
        performance.now() - lastBatch.committedAtMs < BURST_WINDOW_MS
      )
        await sleep(Math.min(lastBatch.commitMs, MAX_GROUP_COMMIT_DELAY_MS));
      try {
        const writer = await connection().catch((error: unknown) => {
          const unavailable = new AppError(
            "unavailable",
            "The database can't be opened. Try again in a moment.",
            { retryAfterSeconds: 1, cause: error },
          );
          for (const job of jobs.splice(0)) job.reject(unavailable);
          throw error;
        });
        lastBatch = await runBatch(writer, jobs, readPosition);
      } catch (error) {
        // The batch rolled back and its jobs are rejected; later jobs get the next batch.
        log("error", "db.write_batch_failed", { error });
      }
    }
    isDraining = false;
  }

  return {
    enqueue<T>(run: (scope: TransactionScope) => T | Promise<T>, timeoutMs: number) {
      if (jobs.length >= MAX_QUEUED) {
        return Promise.reject(
          new AppError("unavailable", "Too many writes are waiting. Try again in a moment.", {
            retryAfterSeconds: 1,
          }),
        );
      }
      // The first job starts the batch, so without this, all jobs would run in its request's context.
      const inRequest = AsyncLocalStorage.snapshot();
      return new Promise<CommittedWrite<T>>((resolve, reject) => {
        jobs.push({
          run: (scope) => inRequest(() => runInScope(scope, () => run(scope))),
          resolve: resolve as WriteJob["resolve"],
          reject,
          enqueuedAtMs: performance.now(),
          timeoutMs,
        });
        if (!isDraining) {
          isDraining = true;
          // Starts after the requests that the event loop has already read, so that they share the
          // commit.
          setImmediate(() => void drain());
        }
      });
    },
    get length() {
      return jobs.length;
    },
  };
}

interface CommittedBatch {
  readonly size: number;
  readonly commitMs: number;
  readonly committedAtMs: number;
}

/** The jobs of a transaction that have run. */
interface Batch {
  readonly done: { job: WriteJob; value: unknown }[];
  /** Their own writes are rolled back. */
  readonly failed: { job: WriteJob; error: unknown }[];
}

async function runBatch(
  connection: Connection,
  jobs: WriteJob[],
  readPosition: () => Position | null | undefined,
): Promise<CommittedBatch> {
  const { db } = connection;
  const batch: Batch = { done: [], failed: [] };
  let commitMs: number;
  try {
    await beginImmediate(db);
    const untilMs = performance.now() + MAX_BATCH_MS;
    do {
      await runJob(connection, jobs.shift()!, batch);
    } while (jobs.length > 0 && performance.now() < untilMs);
    const commitFromMs = performance.now();
    db.exec("COMMIT");
    commitMs = performance.now() - commitFromMs;
    observeHistogram("write_commit_seconds", commitMs / 1000);
    observeHistogram("write_batch", batch.done.length);
  } catch (error) {
    rejectBatch(batch, jobs, error);
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
  const position = batch.done.length > 0 ? readPosition() : undefined;
  // If LiteFS can't store a transaction, it drops it and exits during COMMIT, but SQLite reports
  // success (CommitWAL in db.go of LiteFS v0.5.14). LiteFS's mount is then gone.
  if (position === null) log("error", "db.commit_unconfirmed", { writes: batch.done.length });
  for (const { job, value } of batch.done)
    if (position === null) job.reject(uncertainWriteError());
    else job.resolve({ value, position });
  for (const { job, error } of batch.failed) job.reject(error);
  return { size: batch.done.length, commitMs, committedAtMs: performance.now() };
}

/** Adds a job to the batch: runs it in its own savepoint. Throws if the batch can't commit. */
async function runJob(connection: Connection, job: WriteJob, batch: Batch): Promise<void> {
  if (performance.now() - job.enqueuedAtMs > job.timeoutMs) {
    const error = new AppError("unavailable", "The change waited too long and was not saved.", {
      retryAfterSeconds: 1,
    });
    batch.failed.push({ job, error });
    return;
  }
  const { db } = connection;
  const scope: TransactionScope = { connection, kind: "write", isOpen: true };
  const endScope = () => {
    scope.isOpen = false;
  };
  try {
    db.exec("SAVEPOINT job");
    let value = job.run(scope);
    if (value instanceof Promise)
      value = await withTimeout(
        value,
        job.timeoutMs,
        "The change took too long and was not saved.",
        endScope,
      );
    endScope();
    db.exec("RELEASE job");
    batch.done.push({ job, value });
  } catch (error) {
    endScope();
    batch.failed.push({ job, error });
    // On a full disk or an I/O error SQLite rolls back the whole transaction. After an import, the
    // connection may hold pages of the old file, so no job of the batch may commit.
    if (!db.inTransaction || isCorrupt(error))
      throw new AppError("unavailable", "The database write failed.", { cause: error });
    db.exec("ROLLBACK TO job");
    db.exec("RELEASE job");
  }
}

/** Rejects the jobs of a batch that can't commit. */
function rejectBatch({ done, failed }: Batch, jobs: WriteJob[], cause: unknown): void {
  const unavailable = new AppError(
    "unavailable",
    "The change was not saved. Try again in a moment.",
    { retryAfterSeconds: 1, cause },
  );
  for (const { job } of done) job.reject(unavailable);
  for (const { job, error } of failed) job.reject(error);
  // BEGIN failed: reject the queued jobs too, instead of retrying forever.
  if (done.length + failed.length === 0) for (const job of jobs.splice(0)) job.reject(unavailable);
}

/** Retries BEGIN IMMEDIATE without blocking the event loop, as SQLite's own busy timeout would. */
async function beginImmediate(db: Connection["db"]): Promise<void> {
  const untilMs = performance.now() + BUSY_DEADLINE_MS;
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 100)) {
    try {
      db.exec("BEGIN IMMEDIATE");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > untilMs) throw error;
      await sleep(waitMs);
    }
  }
}
