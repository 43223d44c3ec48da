// Opens, pools and reopens the connections of this process: up to 8 readers, one synchronous
// reader, one writer.

import { env, isBuilding } from "#lib/core/env.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { log } from "#lib/core/log.ts";
import { singleton } from "#lib/core/singleton.ts";
import { isCorrupt, sqliteErrorCode } from "#lib/core/sqlite-error.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { readPosition } from "#lib/replication/position.ts";
import { recordCommit } from "#lib/replication/standbys.ts";
import { type Connection, openConnection } from "./connection.ts";
import { type WriteQueue, createWriteQueue } from "./write-queue.ts";

/** Maximum concurrent asynchronous reads, each on its own connection; further reads wait. */
const MAX_READERS = 8;
/**
 * Deadline for a read, and for its wait for a connection. A long read keeps the WAL from being
 * checkpointed.
 */
export const READ_TIMEOUT_MS = 10_000;
/** Deadline for a write: for its wait in the queue, and again for its work. */
export const WRITE_TIMEOUT_MS = 5_000;
const READER_BUSY_TIMEOUT_MS = 1_000;

export interface DatabaseState {
  readonly file: string;
  readonly idleReaders: Connection[];
  readonly readerWaiters: ((connection: Connection) => void)[];
  readerCount: number;
  /** Incremented each time the connections are reopened. */
  generation: number;
  syncReader?: Promise<Connection>;
  writer?: Promise<Connection>;
  readonly queue: WriteQueue;
  readonly connections: Set<Connection>;
}

const shared = singleton("database", (): { state?: DatabaseState } => ({}));

export function databaseState(): DatabaseState {
  const file = env.DATABASE_FILE;
  if (shared.state?.file === file) return shared.state;
  if (isBuilding())
    throw new Error("A page read the database during the build. Call `await connection()` first.");
  const state: DatabaseState = {
    file,
    idleReaders: [],
    readerWaiters: [],
    readerCount: 0,
    generation: 0,
    connections: new Set(),
    queue: createWriteQueue(() => writerConnection(state), readAndRecordPosition),
  };
  shared.state = state;
  return state;
}

/**
 * Returns LiteFS's position after a commit, and records it for standbys to confirm. Returns null if
 * it can't be read, and undefined without LiteFS.
 */
function readAndRecordPosition(): Position | null | undefined {
  if (!isReplicated()) return undefined;
  const position = readPosition();
  if (position) recordCommit(position);
  return position;
}

async function openTracked(state: DatabaseState, kind: "reader" | "writer"): Promise<Connection> {
  // The writer creates the file and sets WAL mode, so it opens first. A replicated file already
  // exists.
  if (kind === "reader" && !isReplicated()) await writerConnection(state);
  const busyTimeoutMs = kind === "writer" ? 0 : READER_BUSY_TIMEOUT_MS;
  const connection = await openConnection(state.file, kind, busyTimeoutMs);
  state.connections.add(connection);
  return connection;
}

function closeTracked(state: DatabaseState, connection: Connection): void {
  state.connections.delete(connection);
  connection.close();
}

/**
 * Drops all connections, so that the next use opens the current file. Busy readers close on
 * release. Does nothing if the connections were reopened since `generation`: one reopening serves
 * all reads and writes that failed on the old ones.
 */
export function reopenConnections(state: DatabaseState, generation: number): void {
  if (generation !== state.generation) return;
  log("error", "db.connections_reopened", {
    hint: "SQLite found the file corrupt. This happens once after an import; if it repeats, see docs/runbooks/restore.md",
  });
  for (const connection of state.idleReaders.splice(0)) {
    state.readerCount -= 1;
    closeTracked(state, connection);
  }
  for (const opening of [state.syncReader, state.writer])
    void opening?.then(
      (connection) =>
        setImmediate(() => state.connections.has(connection) && closeTracked(state, connection)),
      () => {},
    );
  state.syncReader = state.writer = undefined;
  state.generation += 1;
}

/**
 * Returns true for transient errors on LiteFS's mount: it is applying a transaction, or its disk is
 * full.
 */
export const isTransient = (error: unknown): boolean =>
  isReplicated() && /^SQLITE_(IOERR|BUSY|CANTOPEN|PROTOCOL)/.test(sqliteErrorCode(error));
const RETRY_DELAYS_MS = [20, 50, 100, 200, 400];

/**
 * Runs a read. Retries once on new connections if the file was replaced, and five times on
 * transient errors.
 */
export async function withReopen<T>(state: DatabaseState, runRead: () => Promise<T>): Promise<T> {
  let isReopened = false;
  for (let retries = 0; ; retries += 1) {
    const { generation } = state;
    try {
      return await runRead();
    } catch (error) {
      if (isCorrupt(error) && !isReopened) {
        isReopened = true;
        reopenConnections(state, generation);
      } else if (isTransient(error) && retries < RETRY_DELAYS_MS.length) {
        log("warn", "db.read_retried", { error });
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAYS_MS[retries]));
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

/** Returns the connection of readSql(), whose synchronous transactions never overlap. */
export function syncReaderConnection(state: DatabaseState): Promise<Connection> {
  state.syncReader ??= openTracked(state, "reader").catch((error: unknown) => {
    state.syncReader = undefined;
    throw error;
  });
  return state.syncReader;
}

/**
 * Returns a reader of the pool. Throws AppError(unavailable) if none is free within
 * READ_TIMEOUT_MS.
 */
export async function acquireReader(state: DatabaseState): Promise<Connection> {
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
  const { promise, resolve } = Promise.withResolvers<Connection>();
  state.readerWaiters.push(resolve);
  return withTimeout(promise, READ_TIMEOUT_MS, "The site is busy. Try again in a moment.", () => {
    const index = state.readerWaiters.indexOf(resolve);
    if (index >= 0) state.readerWaiters.splice(index, 1);
  });
}

/**
 * Returns a reader to the pool, or closes it if the connections were reopened since `generation`.
 */
export function releaseReader(
  state: DatabaseState,
  connection: Connection,
  generation: number,
): void {
  if (generation === state.generation) return passOn(state, connection);
  state.readerCount -= 1;
  closeTracked(state, connection);
  // Until then, a waiter stays in the list, so that it can still time out.
  if (state.readerWaiters.length > 0)
    void acquireReader(state).then(
      (replacement) => passOn(state, replacement),
      (error: unknown) => log("error", "db.open_failed", { error }),
    );
}

/** Gives the connection to the first waiter, or else to the pool. */
function passOn(state: DatabaseState, connection: Connection): void {
  const nextWaiter = state.readerWaiters.shift();
  if (nextWaiter) nextWaiter(connection);
  else state.idleReaders.push(connection);
}

/** Closes every connection after the queued writes. For shutdown and tests. */
export async function closeDatabase(): Promise<void> {
  const { state } = shared;
  if (!state) return;
  if (state.queue.length > 0) await state.queue.enqueue(() => {}, WRITE_TIMEOUT_MS).catch(() => {});
  shared.state = undefined;
  for (const connection of state.connections) connection.close();
}
