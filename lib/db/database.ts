// The database of this process: snapshot() for reading, write() for writing, nothing else.

import { AppError } from "#lib/core/errors.ts";
import { env, isBuilding } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { observeHistogram } from "#lib/core/metrics.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { readPosition } from "#lib/replication/position.ts";
import { cachedFor, currentRole } from "#lib/replication/role.ts";
import { waitForStandby } from "#lib/replication/standbys.ts";
import {
  type TransactionScope,
  type Tx,
  currentScope,
  revocable,
  withPrisma,
} from "./prisma-client.ts";
import { type Connection, type Sql, sqliteErrorCode, openConnection } from "./connection.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { singleton } from "#lib/core/singleton.ts";
import { assertDiskSpace } from "./disk-space.ts";
import { type WriteQueue, createWriteQueue } from "./write-queue.ts";

/** Asynchronous snapshots at the same time, each on a connection of its own; more wait for a free one. */
const MAX_READERS = 8;
/** The bound of a snapshot: a page that reads longer than this is broken, and an old snapshot keeps the WAL from shrinking. */
const READ_TIMEOUT_MS = 10_000;
/** The bound of a write, its wait in the queue included. */
const WRITE_TIMEOUT_MS = 5_000;
const READER_BUSY_TIMEOUT_MS = 1_000;

interface DatabaseState {
  readonly file: string;
  readonly idleReaders: Connection[];
  readonly readerWaiters: ((connection: Connection) => void)[];
  readerCount: number;
  /** How often the connections were given up. */
  generation: number;
  syncReader?: Promise<Connection>;
  writer?: Promise<Connection>;
  readonly queue: WriteQueue;
  readonly connections: Set<Connection>;
}

const shared = singleton("database", (): { state?: DatabaseState } => ({}));

function databaseState(): DatabaseState {
  if (isBuilding())
    throw new Error(
      "A page asked for the database while the site is being built: await connection() before it.",
    );
  const file = env.DATABASE_FILE;
  if (shared.state?.file === file) return shared.state;
  const state: DatabaseState = {
    file,
    idleReaders: [],
    readerWaiters: [],
    readerCount: 0,
    generation: 0,
    connections: new Set(),
    queue: createWriteQueue(
      () => writerConnection(state),
      () => readPosition()?.txid,
    ),
  };
  shared.state = state;
  return state;
}

async function openTracked(state: DatabaseState, kind: "reader" | "writer"): Promise<Connection> {
  // A reader may not create the file, and WAL is set by the writer: so it comes first. A replicated file was made before this process.
  if (kind === "reader" && !isReplicated()) await writerConnection(state);
  const connection = await openConnection(
    state.file,
    kind,
    kind === "writer" ? 0 : READER_BUSY_TIMEOUT_MS,
  );
  state.connections.add(connection);
  return connection;
}

function closeTracked(state: DatabaseState, connection: Connection): void {
  state.connections.delete(connection);
  connection.close();
}

/** Whether SQLite says that the file is not what this connection took it for: a database that was imported over it makes every open connection say so. */
function isFileReplaced(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return (
    /^SQLITE_(CORRUPT|NOTADB)/.test(String(code ?? "")) ||
    (cause !== undefined && isFileReplaced(cause)) ||
    /database disk image is malformed|file is not a database/.test(
      String((error as Error | undefined)?.message ?? ""),
    )
  );
}

/** Forgets every connection: the next use opens the file as it is now. Those at work are closed when they come back. */
function reopenConnections(state: DatabaseState): void {
  log("error", "db.opened_anew", {
    hint: "SQLite took the file for damaged. After an import that is so once; if it comes again, see docs/runbooks/restore.md",
  });
  for (const connection of state.idleReaders.splice(0)) {
    state.readerCount -= 1;
    closeTracked(state, connection);
  }
  for (const kept of [state.syncReader, state.writer])
    void kept?.then(
      (connection) =>
        setImmediate(() => state.connections.has(connection) && closeTracked(state, connection)),
      () => {},
    );
  state.syncReader = state.writer = undefined;
  state.generation += 1;
}

/** What a read may meet on LiteFS' mount while it takes in a transaction, or can't for lack of room: gone a moment later. */
const isTransient = (error: unknown) =>
  isReplicated() && /^SQLITE_(IOERR|BUSY|CANTOPEN|PROTOCOL)/.test(sqliteErrorCode(error));
const RETRY_DELAYS_MS = [20, 50, 100, 200, 400];

/** Runs a read; once more on a new connection where the file was replaced under the first, and some times more where the mount is busy. */
async function withReopen<T>(state: DatabaseState, read: () => Promise<T>): Promise<T> {
  let isAnew = false;
  for (let tries = 0; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (isFileReplaced(error) && !isAnew) {
        isAnew = true;
        reopenConnections(state);
      } else if (isTransient(error) && tries < RETRY_DELAYS_MS.length) {
        log("warn", "db.read_again", { error });
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAYS_MS[tries]));
      } else {
        throw error;
      }
    }
  }
}

function writerConnection(state: DatabaseState): Promise<Connection> {
  state.writer ??= openTracked(state, "writer").catch((error: unknown) => {
    state.writer = undefined;
    throw error;
  });
  return state.writer;
}

async function acquireReader(state: DatabaseState): Promise<Connection> {
  const idle = state.idleReaders.pop();
  if (idle) return idle;
  if (state.readerCount < MAX_READERS) {
    state.readerCount += 1;
    try {
      return await openTracked(state, "reader");
    } catch (error) {
      state.readerCount -= 1;
      throw error;
    }
  }
  let take: (connection: Connection) => void = () => {};
  const free = new Promise<Connection>((resolve) => {
    take = resolve;
    state.readerWaiters.push(resolve);
  });
  return withTimeout(
    free,
    READ_TIMEOUT_MS,
    "Too many pages are reading. Try again in a moment.",
    () => {
      state.readerWaiters.splice(state.readerWaiters.indexOf(take), 1);
    },
  );
}

function releaseReader(state: DatabaseState, connection: Connection, replaced: number): void {
  const next = state.readerWaiters.shift();
  if (replaced !== state.generation) {
    state.readerCount -= 1;
    closeTracked(state, connection);
    if (next)
      void acquireReader(state).then(next, (error: unknown) =>
        log("error", "db.not_opened", { error }),
      );
    return;
  }
  if (next) next(connection);
  else state.idleReaders.push(connection);
}

/** For Server-Timing: how long the request that is being served has read. */
function recordReadTime(startedMs: number): void {
  const context = currentRequestContext();
  if (context)
    context.databaseReadMs = (context.databaseReadMs ?? 0) + performance.now() - startedMs;
}

function assertNotInTransaction(what: string): void {
  const scope = currentScope();
  if (scope)
    throw new Error(
      `${what} inside a ${scope.kind}: pass its tx on instead, or the two see different states.`,
    );
}

/**
 * Runs `fn` so that all its reads, through Prisma and through SQL, see one state of the database.
 * Returns what `fn` returns. Writes in it fail. Throws AppError(unavailable) when no connection is free
 * or `fn` is not done within ten seconds; its tx then refuses every further query.
 */
export async function read<T>(fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  assertNotInTransaction("snapshot()");
  const state = databaseState();
  return withReopen(state, () => readOnConnection(state, fn));
}

async function readOnConnection<T>(
  state: DatabaseState,
  fn: (tx: Tx) => Promise<T> | T,
): Promise<T> {
  const startedMs = performance.now();
  const connection = await acquireReader(state);
  const { generation } = state;
  const scope: TransactionScope = { connection, kind: "snapshot", isOpen: true };
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
    throw isTransient(scope.lastSqliteError) || isFileReplaced(scope.lastSqliteError)
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
 * snapshot() for plain SQL: no Prisma, no waiting in between, a tenth of the cost. `fn` must not be async.
 * For what is read on every request; see docs/decisions/003-prisma-and-sql-share-the-write-path.md.
 */
export async function readSql<T>(fn: (sql: Sql) => T): Promise<T> {
  assertNotInTransaction("snapshotSql()");
  const state = databaseState();
  return withReopen(state, () => readSqlOnConnection(state, fn));
}

async function readSqlOnConnection<T>(state: DatabaseState, fn: (sql: Sql) => T): Promise<T> {
  state.syncReader ??= openTracked(state, "reader").catch((error: unknown) => {
    state.syncReader = undefined;
    throw error;
  });
  const connection = await state.syncReader;
  const scope: TransactionScope = { connection, kind: "snapshot", isOpen: true };
  const startedMs = performance.now();
  connection.sql.run("BEGIN");
  try {
    return assertNotPromise(fn(revocable(scope, connection.sql)), "snapshotSql");
  } finally {
    scope.isOpen = false;
    // An I/O error has ended it already.
    if (connection.db.inTransaction) connection.sql.run("ROLLBACK");
    recordReadTime(startedMs);
  }
}

/**
 * The door for writes. Runs `fn` in a transaction on the primary, after and apart from every other write;
 * returns what `fn` returned once it is committed. If `fn` throws, its writes, and only its, are undone.
 * Throws AppError(unavailable) when this instance is not the primary, its disk or the queue is full, or five seconds have passed.
 * Tell the world (mail, webhooks) after it returned, never inside: a batch may still fail to commit.
 */
export async function write<T>(
  fn: (tx: Tx) => Promise<T> | T,
  options: WriteOptions = {},
): Promise<T> {
  return enqueueWrite((scope) => withPrisma(scope, fn), options);
}

/** write() for plain SQL, through the same queue into the same commit. `fn` must not be async. */
export async function writeSql<T>(fn: (sql: Sql) => T, options: WriteOptions = {}): Promise<T> {
  return enqueueWrite(
    (scope) => assertNotPromise(fn(revocable(scope, scope.connection.sql)), "writeSql"),
    options,
  );
}

export interface WriteOptions {
  /**
   * Acknowledged only when the standby has it too, at most DURABLE_MS later: for what nobody may lose when the primary dies.
   * Costs the way there and back. Where no standby is connected it is acknowledged at once, and said in the log and in /readyz.
   */
  readonly isDurable?: boolean;
}

/** A look at the mount for all who write in the same ten milliseconds. Who writes on a replica all the same is refused by LiteFS. */
const cachedRole = cachedFor(currentRole);

/** The bound of the wait for the standby. */
const DURABLE_TIMEOUT_MS = 2_000;

async function enqueueWrite<T>(
  run: (scope: TransactionScope) => T | Promise<T>,
  { isDurable = false }: WriteOptions,
): Promise<T> {
  assertNotInTransaction("write()");
  const context = currentRequestContext();
  // Its reader could not be told which transaction to wait for on another instance.
  if (context?.response.headersSent)
    throw new Error(
      "A write began after the head of the response had left. Write first, then answer; or do it outsideRequest().",
    );
  if (isReplicated()) {
    if (cachedRole() !== "primary")
      throw new AppError(
        "unavailable",
        "Writes are paused for some seconds: this instance is not the primary.",
        { retryAfterSeconds: 5 },
      );
    assertDiskSpace();
  }
  const state = databaseState();
  const { value, txid } = await state.queue
    .enqueue(run, WRITE_TIMEOUT_MS)
    .catch((error: unknown) => {
      // Not tried again here: a write may have told somebody of itself.
      if (isFileReplaced(error)) {
        reopenConnections(state);
        throw new AppError(
          "unavailable",
          "The database was replaced just now. Try again in a moment.",
          { retryAfterSeconds: 1, cause: error },
        );
      }
      throw error;
    });
  if (txid === undefined) return value;
  if (context) context.committedTxid = Math.max(context.committedTxid ?? 0, txid);
  if (isDurable) {
    const startedMs = performance.now();
    const held = await waitForStandby(txid, DURABLE_TIMEOUT_MS);
    observeHistogram("durable_wait_seconds", (performance.now() - startedMs) / 1000, {
      result: held,
    });
    if (held !== "held")
      log("error", "write.on_one_machine", {
        txid,
        reason:
          held === "alone"
            ? "no standby is connected"
            : `the standby did not have it within ${DURABLE_TIMEOUT_MS} ms`,
      });
  }
  return value;
}

function assertNotPromise<T>(value: T, name: string): T {
  if (value instanceof Promise) {
    value.catch(() => {});
    throw new TypeError(
      `${name}() takes a function that is not async: nothing may come between its statements.`,
    );
  }
  return value;
}

/** Closes every connection after the writes that wait are done. For the end of the process and of a test. */
export async function closeDatabase(): Promise<void> {
  const state = shared.state;
  if (!state) return;
  if (state.queue.length > 0) await state.queue.enqueue(() => {}, WRITE_TIMEOUT_MS).catch(() => {});
  shared.state = undefined;
  for (const connection of state.connections) connection.close();
}
