// The write queue: one connection, one transaction at a time. Jobs that arrive together commit together,
// each in a savepoint of its own, and are acknowledged after the commit.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { registerGauge, observeHistogram } from "#lib/core/metrics.ts";
import { type TransactionScope, runInScope } from "./prisma-client.ts";
import type { Connection } from "./connection.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";

interface WriteJob {
  run(scope: TransactionScope): unknown;
  resolve(value: CommittedWrite<unknown>): void;
  reject(error: unknown): void;
  readonly enqueuedAtMs: number;
  readonly timeoutMs: number;
}

/** A transaction is committed after this long even if more jobs wait: nobody's acknowledgement hangs on a stranger's work. */
const MAX_BATCH_MS = 50;
/**
 * While writes keep coming together, the next transaction waits for more of them for as long as the last COMMIT took, at most this. On a plain file that
 * is nothing; on LiteFS, where a commit costs several milliseconds whatever is in it, they share it instead of queueing for one of their own.
 */
const MAX_GROUP_COMMIT_DELAY_MS = 20;
/** Writes that came longer ago than this say nothing of those that come now. */
const BURST_WINDOW_MS = 100;
/** Jobs beyond this are refused at once: memory stays bounded, and the reader hears of it in time to try again. */
const MAX_QUEUED = 10_000;
/** How long BEGIN IMMEDIATE is retried when another process (a migration, a backup) holds the write lock. */
const BUSY_DEADLINE_MS = 5_000;

export interface CommittedWrite<T> {
  /** What `run` gave. */
  readonly value: T;
  /** The transaction that it was committed in, or a later one; undefined where they have no numbers. */
  readonly txid: number | undefined;
}

export interface WriteQueue {
  /** What `run` gives, after the commit. Rejects with run's own error (its writes undone), or AppError(unavailable). */
  enqueue<T>(
    run: (scope: TransactionScope) => T | Promise<T>,
    timeoutMs: number,
  ): Promise<CommittedWrite<T>>;
  readonly length: number;
}

/** `newestTxid` is asked after each commit, once for all that shared it: on LiteFS it is a look at the mount. */
export function createWriteQueue(
  connection: () => Promise<Connection>,
  newestTxid: () => number | undefined,
): WriteQueue {
  const jobs: WriteJob[] = [];
  let draining = false;
  let last: CommittedBatch = { size: 0, commitMs: 0, committedAtMs: 0 };
  registerGauge("write_queue_length", () => jobs.length);

  async function drain(): Promise<void> {
    while (jobs.length > 0) {
      if (
        last.size > 1 &&
        last.commitMs >= 1 &&
        performance.now() - last.committedAtMs < BURST_WINDOW_MS
      )
        await sleep(Math.min(last.commitMs, MAX_GROUP_COMMIT_DELAY_MS));
      try {
        const open = await connection().catch((error: unknown) => {
          const lost = new AppError(
            "unavailable",
            "The database can't be opened. Try again in a moment.",
            { retryAfterSeconds: 1, cause: error },
          );
          for (const job of jobs.splice(0)) job.reject(lost);
          throw error;
        });
        last = await runBatch(open, jobs, newestTxid);
      } catch (error) {
        // Nothing of the batch was committed and its jobs are rejected; what came meanwhile gets its own try.
        log("error", "db.write_batch_failed", { error });
      }
    }
    draining = false;
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
      return new Promise<CommittedWrite<T>>((resolve, reject) => {
        jobs.push({
          run,
          resolve: resolve as WriteJob["resolve"],
          reject,
          enqueuedAtMs: performance.now(),
          timeoutMs,
        });
        if (!draining) {
          draining = true;
          // After the requests that the event loop has already read: those commit together with this one.
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
  /** Jobs that it had. */
  readonly size: number;
  readonly commitMs: number;
  readonly committedAtMs: number;
}

async function runBatch(
  connection: Connection,
  jobs: WriteJob[],
  newestTxid: () => number | undefined,
): Promise<CommittedBatch> {
  const { db } = connection;
  const done: { job: WriteJob; value: unknown }[] = [];
  const failed: { job: WriteJob; error: unknown }[] = [];
  const startedMs = performance.now();
  let commitMs: number;
  try {
    await beginImmediate(db);
    while (
      jobs.length > 0 &&
      (done.length + failed.length === 0 || performance.now() - startedMs < MAX_BATCH_MS)
    ) {
      const job = jobs.shift() as WriteJob;
      if (performance.now() - job.enqueuedAtMs > job.timeoutMs) {
        failed.push({
          job,
          error: new AppError("unavailable", "The write waited too long and was not made.", {
            retryAfterSeconds: 1,
          }),
        });
        continue;
      }
      db.exec("SAVEPOINT job");
      const scope: TransactionScope = { connection, kind: "write", isOpen: true };
      try {
        let value = runInScope(scope, () => job.run(scope));
        if (value instanceof Promise) {
          value = await withTimeout(
            value,
            job.timeoutMs,
            "The write took too long and was undone.",
            () => {
              scope.isOpen = false;
            },
          );
        }
        scope.isOpen = false;
        db.exec("RELEASE job");
        done.push({ job, value });
      } catch (error) {
        scope.isOpen = false;
        failed.push({ job, error });
        // A full disk or an I/O error makes SQLite undo the whole transaction, the finished jobs with it.
        if (!db.inTransaction)
          throw new AppError("unavailable", "The database could not write.", { cause: error });
        db.exec("ROLLBACK TO job");
        db.exec("RELEASE job");
      }
    }
    const commitFromMs = performance.now();
    db.exec("COMMIT");
    commitMs = performance.now() - commitFromMs;
    observeHistogram("write_commit_seconds", commitMs / 1000);
    observeHistogram("write_batch", done.length);
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    const lost = new AppError("unavailable", "The write was not made. Try again in a moment.", {
      retryAfterSeconds: 1,
      cause: error,
    });
    for (const { job } of done) job.reject(lost);
    for (const { job, error: own } of failed) job.reject(own);
    if (done.length + failed.length === 0) {
      // BEGIN itself failed: those waiting when it did are told; trying on for ever would hang them.
      for (const job of jobs.splice(0)) job.reject(lost);
    }
    throw error;
  }
  const txid = done.length > 0 ? newestTxid() : undefined;
  for (const { job, value } of done) job.resolve({ value, txid });
  for (const { job, error } of failed) job.reject(error);
  return { size: done.length, commitMs, committedAtMs: performance.now() };
}

/** BEGIN IMMEDIATE, retried without blocking the event loop: SQLite's own busy timeout would stop every reader. */
async function beginImmediate(db: Connection["db"]): Promise<void> {
  const untilMs = performance.now() + BUSY_DEADLINE_MS;
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 100)) {
    try {
      db.exec("BEGIN IMMEDIATE");
      return;
    } catch (error) {
      const busy = (error as { code?: string }).code?.startsWith("SQLITE_BUSY");
      if (!busy || performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}
