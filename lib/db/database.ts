// Reads and writes the database: read() and readSql() on one consistent state, write() and
// writeSql() through the write queue.

import { AppError } from "#lib/core/errors.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { log } from "#lib/core/log.ts";
import { observeHistogram } from "#lib/core/metrics.ts";
import { type RequestContext, currentRequestContext } from "#lib/core/request-context.ts";
import { isCorrupt } from "#lib/core/sqlite-error.ts";
import { withChildSpan } from "#lib/core/telemetry.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { confirmLease, isLeaseValid } from "#lib/replication/lease.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { cachedFor, currentRole } from "#lib/replication/role.ts";
import { waitForStandby } from "#lib/replication/standbys.ts";
import {
  type DatabaseState,
  READ_TIMEOUT_MS,
  WRITE_TIMEOUT_MS,
  acquireReader,
  databaseState,
  isTransient,
  releaseReader,
  reopenConnections,
  syncReaderConnection,
  withReopen,
} from "./connection-pool.ts";
import type { Sql } from "./connection.ts";
import { assertDiskSpace } from "#lib/replication/disk-space.ts";
import { type Tx, withPrisma } from "./prisma-client.ts";
import { type TransactionScope, currentScope, revocable } from "./transaction-scope.ts";
import { uncertainWriteError } from "./write-queue.ts";

export { Prisma } from "../../prisma/generated/client.ts";
export type { Tx } from "./prisma-client.ts";
export { closeDatabase } from "./connection-pool.ts";

/** OpenTelemetry's attributes of a database span. */
const READ_SPAN = { "db.system.name": "sqlite", "db.operation.name": "read" };
const WRITE_SPAN = { "db.system.name": "sqlite", "db.operation.name": "write" };

/** Adds to the request's read time, for Server-Timing. */
function recordReadTime(startedMs: number): void {
  const context = currentRequestContext();
  if (context)
    context.databaseReadMs = (context.databaseReadMs ?? 0) + performance.now() - startedMs;
}

function assertNotInTransaction(caller: string): void {
  const scope = currentScope();
  if (scope)
    throw new Error(
      `${caller} was called inside a ${scope.kind} transaction. Use that transaction's tx, or the two see different states.`,
    );
}

/**
 * Runs `fn` on one consistent state of the database, through Prisma and SQL, and returns its
 * result. Writes fail. Throws AppError(unavailable) if no connection is free, or `fn` does not
 * finish, within READ_TIMEOUT_MS; its tx is then revoked.
 */
export async function read<T>(fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  assertNotInTransaction("read()");
  const state = databaseState();
  return withChildSpan("read", READ_SPAN, () =>
    withReopen(state, () => readOnConnection(state, fn)),
  );
}

async function readOnConnection<T>(
  state: DatabaseState,
  fn: (tx: Tx) => Promise<T> | T,
): Promise<T> {
  const startedMs = performance.now();
  const connection = await acquireReader(state);
  const { generation } = state;
  const scope: TransactionScope = { connection, kind: "read", isOpen: true };
  try {
    connection.db.exec("BEGIN");
    return await withTimeout(
      withPrisma(scope, fn),
      READ_TIMEOUT_MS,
      "The page took too long to read its data.",
      () => {
        scope.isOpen = false;
      },
    );
  } catch (error) {
    throw isTransient(scope.lastSqliteError) || isCorrupt(scope.lastSqliteError)
      ? scope.lastSqliteError
      : error;
  } finally {
    scope.isOpen = false;
    if (connection.db.inTransaction) connection.db.exec("ROLLBACK");
    releaseReader(state, connection, generation);
    recordReadTime(startedMs);
  }
}

/**
 * Runs a synchronous `fn` like read(), but with plain SQL only and at a tenth of the cost
 * (docs/decisions/034-prisma-is-the-data-layer.md).
 */
export async function readSql<T>(fn: (sql: Sql) => T): Promise<T> {
  assertNotInTransaction("readSql()");
  const state = databaseState();
  return withChildSpan("read", READ_SPAN, () =>
    withReopen(state, () => readSqlOnConnection(state, fn)),
  );
}

async function readSqlOnConnection<T>(state: DatabaseState, fn: (sql: Sql) => T): Promise<T> {
  const connection = await syncReaderConnection(state);
  const scope: TransactionScope = { connection, kind: "read", isOpen: true };
  const startedMs = performance.now();
  connection.sql.run("BEGIN");
  try {
    return assertNotPromise(fn(revocable(scope, connection.sql)), "readSql");
  } finally {
    scope.isOpen = false;
    // On an I/O error, SQLite has already ended the transaction.
    if (connection.db.inTransaction) connection.sql.run("ROLLBACK");
    recordReadTime(startedMs);
  }
}

/**
 * Runs `fn` in a transaction on the primary, one write at a time, and returns its result after the
 * commit. If `fn` throws, only its own writes are rolled back. Throws AppError(unavailable) on a
 * replica, if the disk or the queue is full, or after WRITE_TIMEOUT_MS. Send emails and webhooks
 * after it returns: the commit can fail, and `fn` runs again if an import has replaced the file.
 */
export async function write<T>(
  fn: (tx: Tx) => Promise<T> | T,
  options: WriteOptions = {},
): Promise<T> {
  return withChildSpan("write", WRITE_SPAN, () =>
    enqueueWrite((scope) => withPrisma(scope, fn), options),
  );
}

/** Runs a synchronous `fn` like write(), with plain SQL only, in the same queue and commits. */
export async function writeSql<T>(fn: (sql: Sql) => T, options: WriteOptions = {}): Promise<T> {
  return withChildSpan("write", WRITE_SPAN, () =>
    enqueueWrite(
      (scope) => assertNotPromise(fn(revocable(scope, scope.connection.sql)), "writeSql"),
      options,
    ),
  );
}

export interface WriteOptions {
  /**
   * Waits up to DURABLE_TIMEOUT_MS until a standby has the transaction, so that a failover can't
   * lose it. Costs a round trip. Without a connected standby, it waits only until the lease service
   * requires the transaction of a successor; the log and /readyz report it. Throws
   * AppError(unavailable) if neither is possible.
   */
  readonly isDurable?: boolean;
}

/** Reads the mount at most every 10 ms. LiteFS itself also refuses writes on a replica. */
const cachedRole = cachedFor(currentRole);

const DURABLE_TIMEOUT_MS = 2_000;
const NOT_DURABLE_REASONS = {
  replicated: "the lease expired before the standby reported it",
  no_standby: "no standby is connected",
  timed_out: `the standby did not have it within ${DURABLE_TIMEOUT_MS} ms`,
};

async function enqueueWrite<T>(
  run: (scope: TransactionScope) => T | Promise<T>,
  { isDurable = false }: WriteOptions,
): Promise<T> {
  assertNotInTransaction("write()");
  const context = currentRequestContext();
  assertCanWrite(context);
  const state = databaseState();
  const { generation } = state;
  const { value, position } = await state.queue
    .enqueue(run, WRITE_TIMEOUT_MS)
    .catch((error: unknown) => {
      if (!isCorrupt(error)) throw error;
      reopenConnections(state, generation);
      return state.queue.enqueue(run, WRITE_TIMEOUT_MS);
    });
  if (!position) return value;
  if (context) context.committedTxid = Math.max(context.committedTxid ?? 0, position.txid);
  if (isDurable) await waitUntilDurable(position);
  else if (isReplicated() && !isLeaseValid()) throw uncertainWriteError();
  return value;
}

function assertCanWrite(context: RequestContext | undefined): void {
  // It is too late to set the txid cookie for read-your-writes.
  if (context?.response.headersSent)
    throw new Error(
      "A write started after the response's head was sent. Write before responding, or use runOutsideRequest().",
    );
  if (!isReplicated()) return;
  if (cachedRole() !== "primary")
    throw new AppError(
      "unavailable",
      "Writes are paused for a few seconds: this instance is not the primary.",
      { retryAfterSeconds: 5 },
    );
  assertDiskSpace();
}

async function waitUntilDurable(position: Position): Promise<void> {
  const startedMs = performance.now();
  const result = await waitForStandby(position, DURABLE_TIMEOUT_MS);
  observeHistogram("durable_wait_seconds", (performance.now() - startedMs) / 1000, { result });
  // After a freeze, the standby may have become the primary, and report its own transactions.
  if (result === "replicated" && isLeaseValid()) return;
  log("error", "write.not_durable", { txid: position.txid, reason: NOT_DURABLE_REASONS[result] });
  // Cut off from its standby and the lease service, this machine may already have been replaced.
  if (isReplicated() && !(await confirmLease(position))) throw uncertainWriteError();
}

function assertNotPromise<T>(value: T, caller: string): T {
  if (value instanceof Promise) {
    value.catch(() => {});
    throw new TypeError(`${caller}() takes a synchronous function.`);
  }
  return value;
}
