// The database of this process: snapshot() for reading, write() for writing, nothing else.

import { AppError } from "../base/errors.ts";
import { env, isBuilding } from "../base/env.ts";
import { log } from "../base/log.ts";
import { observe } from "../base/metrics.ts";
import { currentRequest } from "../base/request-context.ts";
import { isReplicated } from "../litefs/instance.ts";
import { readPosition } from "../litefs/position.ts";
import { glancer, role } from "../litefs/role.ts";
import { waitForStandby } from "../litefs/standby.ts";
import { type Scope, type Tx, currentScope, fenced, withPrisma } from "./client.ts";
import { type Connection, type Sql, codeOf, openConnection } from "./connection.ts";
import { within } from "../base/deadline.ts";
import { needRoom } from "./disk-room.ts";
import { type WriteQueue, createWriteQueue } from "./queue.ts";

/** Asynchronous snapshots at the same time, each on a connection of its own; more wait for a free one. */
const MAX_READERS = 8;
/** The bound of a snapshot: a page that reads longer than this is broken, and an old snapshot keeps the WAL from shrinking. */
const SNAPSHOT_TIMEOUT_MS = 10_000;
/** The bound of a write, its wait in the queue included. */
const WRITE_TIMEOUT_MS = 5_000;
const READER_BUSY_MS = 1_000;

interface Open {
  readonly file: string;
  readonly idle: Connection[];
  readonly waiting: ((connection: Connection) => void)[];
  opened: number;
  /** How often the connections were given up. */
  replaced: number;
  sync?: Promise<Connection>;
  writer?: Promise<Connection>;
  readonly queue: WriteQueue;
  readonly all: Set<Connection>;
}

// One per process: the bundles of pages, handlers and middleware each load this module, and must share the queue.
const shared = globalThis as { __lecternDb?: Open };

function opened(): Open {
  if (isBuilding())
    throw new Error(
      "A page asked for the database while the site is being built: await connection() before it.",
    );
  const file = env.DATABASE_FILE;
  if (shared.__lecternDb?.file === file) return shared.__lecternDb;
  const state: Open = {
    file,
    idle: [],
    waiting: [],
    opened: 0,
    replaced: 0,
    all: new Set(),
    queue: createWriteQueue(
      () => writer(state),
      () => readPosition()?.txid,
    ),
  };
  shared.__lecternDb = state;
  return state;
}

async function open(state: Open, kind: "reader" | "writer"): Promise<Connection> {
  // A reader may not create the file, and WAL is set by the writer: so it comes first. A replicated file was made before this process.
  if (kind === "reader" && !isReplicated()) await writer(state);
  const connection = await openConnection(state.file, kind, kind === "writer" ? 0 : READER_BUSY_MS);
  state.all.add(connection);
  return connection;
}

function close(state: Open, connection: Connection): void {
  state.all.delete(connection);
  connection.close();
}

/** Whether SQLite says that the file is not what this connection took it for: a database that was imported over it makes every open connection say so. */
function isReplaced(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return (
    /^SQLITE_(CORRUPT|NOTADB)/.test(String(code ?? "")) ||
    (cause !== undefined && isReplaced(cause)) ||
    /database disk image is malformed|file is not a database/.test(
      String((error as Error | undefined)?.message ?? ""),
    )
  );
}

/** Forgets every connection: the next use opens the file as it is now. Those at work are closed when they come back. */
function openAnew(state: Open): void {
  log("error", "db.opened_anew", {
    hint: "SQLite took the file for damaged. After an import that is so once; if it comes again, see docs/runbooks/restore.md",
  });
  for (const connection of state.idle.splice(0)) {
    state.opened -= 1;
    close(state, connection);
  }
  for (const kept of [state.sync, state.writer])
    void kept?.then(
      (connection) => setImmediate(() => state.all.has(connection) && close(state, connection)),
      () => {},
    );
  state.sync = state.writer = undefined;
  state.replaced += 1;
}

/** What a read may meet on LiteFS' mount while it takes in a transaction, or can't for lack of room: gone a moment later. */
const isPassing = (error: unknown) =>
  isReplicated() && /^SQLITE_(IOERR|BUSY|CANTOPEN|PROTOCOL)/.test(codeOf(error));
const PASSING_MS = [20, 50, 100, 200, 400];

/** Runs a read; once more on a new connection where the file was replaced under the first, and some times more where the mount is busy. */
async function onFileAsItIs<T>(state: Open, read: () => Promise<T>): Promise<T> {
  let isAnew = false;
  for (let tries = 0; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (isReplaced(error) && !isAnew) {
        isAnew = true;
        openAnew(state);
      } else if (isPassing(error) && tries < PASSING_MS.length) {
        log("warn", "db.read_again", { error });
        await new Promise((resolve) => setTimeout(resolve, PASSING_MS[tries]));
      } else {
        throw error;
      }
    }
  }
}

function writer(state: Open): Promise<Connection> {
  state.writer ??= open(state, "writer").catch((error: unknown) => {
    state.writer = undefined;
    throw error;
  });
  return state.writer;
}

async function acquire(state: Open): Promise<Connection> {
  const idle = state.idle.pop();
  if (idle) return idle;
  if (state.opened < MAX_READERS) {
    state.opened += 1;
    try {
      return await open(state, "reader");
    } catch (error) {
      state.opened -= 1;
      throw error;
    }
  }
  let take: (connection: Connection) => void = () => {};
  const free = new Promise<Connection>((resolve) => {
    take = resolve;
    state.waiting.push(resolve);
  });
  return within(
    free,
    SNAPSHOT_TIMEOUT_MS,
    "Too many pages are reading. Try again in a moment.",
    () => {
      state.waiting.splice(state.waiting.indexOf(take), 1);
    },
  );
}

function release(state: Open, connection: Connection, replaced: number): void {
  const next = state.waiting.shift();
  if (replaced !== state.replaced) {
    state.opened -= 1;
    close(state, connection);
    if (next)
      void acquire(state).then(next, (error: unknown) => log("error", "db.not_opened", { error }));
    return;
  }
  if (next) next(connection);
  else state.idle.push(connection);
}

/** For Server-Timing: how long the request that is being served has read. */
function timeRead(startedMs: number): void {
  const context = currentRequest();
  if (context) context.readMs = (context.readMs ?? 0) + performance.now() - startedMs;
}

function refuseNesting(what: string): void {
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
export async function snapshot<T>(fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  refuseNesting("snapshot()");
  const state = opened();
  return onFileAsItIs(state, () => readOn(state, fn));
}

async function readOn<T>(state: Open, fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  const startedMs = performance.now();
  const connection = await acquire(state);
  const { replaced } = state;
  const scope: Scope = { connection, kind: "snapshot", open: true };
  try {
    connection.db.exec("BEGIN");
    return await within(
      withPrisma(scope, fn),
      SNAPSHOT_TIMEOUT_MS,
      "The page took too long to read its data.",
      () => {
        scope.open = false;
      },
    );
  } catch (error) {
    throw isPassing(scope.refusal) || isReplaced(scope.refusal) ? scope.refusal : error;
  } finally {
    scope.open = false;
    if (connection.db.inTransaction) connection.db.exec("ROLLBACK");
    release(state, connection, replaced);
    timeRead(startedMs);
  }
}

/**
 * snapshot() for plain SQL: no Prisma, no waiting in between, a tenth of the cost. `fn` must not be async.
 * For what is read on every request; see docs/decisions/003-two-ways-through-one-door.md.
 */
export async function snapshotSql<T>(fn: (sql: Sql) => T): Promise<T> {
  refuseNesting("snapshotSql()");
  const state = opened();
  return onFileAsItIs(state, () => readAtOnce(state, fn));
}

async function readAtOnce<T>(state: Open, fn: (sql: Sql) => T): Promise<T> {
  state.sync ??= open(state, "reader").catch((error: unknown) => {
    state.sync = undefined;
    throw error;
  });
  const connection = await state.sync;
  const scope: Scope = { connection, kind: "snapshot", open: true };
  const startedMs = performance.now();
  connection.sql.run("BEGIN");
  try {
    return refusePromise(fn(fenced(scope, connection.sql)), "snapshotSql");
  } finally {
    scope.open = false;
    // An I/O error has ended it already.
    if (connection.db.inTransaction) connection.sql.run("ROLLBACK");
    timeRead(startedMs);
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
  return enqueue((scope) => withPrisma(scope, fn), options);
}

/** write() for plain SQL, through the same queue into the same commit. `fn` must not be async. */
export async function writeSql<T>(fn: (sql: Sql) => T, options: WriteOptions = {}): Promise<T> {
  return enqueue(
    (scope) => refusePromise(fn(fenced(scope, scope.connection.sql)), "writeSql"),
    options,
  );
}

export interface WriteOptions {
  /**
   * Acknowledged only when the standby has it too, at most DURABLE_MS later: for what nobody may lose when the primary dies.
   * Costs the way there and back. Where no standby is connected it is acknowledged at once, and said in the log and in /readyz.
   */
  readonly durable?: boolean;
}

/** A look at the mount for all who write in the same ten milliseconds. Who writes on a replica all the same is refused by LiteFS. */
const glanceAtRole = glancer(role);

/** The bound of the wait for the standby. */
const DURABLE_MS = 2_000;

async function enqueue<T>(
  run: (scope: Scope) => T | Promise<T>,
  { durable = false }: WriteOptions,
): Promise<T> {
  refuseNesting("write()");
  const context = currentRequest();
  // Its reader could not be told which transaction to wait for on another instance.
  if (context?.response.headersSent)
    throw new Error(
      "A write began after the head of the response had left. Write first, then answer; or do it outsideRequest().",
    );
  if (isReplicated()) {
    if (glanceAtRole() !== "primary")
      throw new AppError(
        "unavailable",
        "Writes are paused for some seconds: this instance is not the primary.",
        { retryAfterSeconds: 5 },
      );
    needRoom();
  }
  const state = opened();
  const { value, txid } = await state.queue.push(run, WRITE_TIMEOUT_MS).catch((error: unknown) => {
    // Not tried again here: a write may have told somebody of itself.
    if (isReplaced(error)) {
      openAnew(state);
      throw new AppError(
        "unavailable",
        "The database was replaced just now. Try again in a moment.",
        { retryAfterSeconds: 1, cause: error },
      );
    }
    throw error;
  });
  if (txid === undefined) return value;
  if (context) context.txid = Math.max(context.txid ?? 0, txid);
  if (durable) {
    const startedMs = performance.now();
    const held = await waitForStandby(txid, DURABLE_MS);
    observe("durable_wait_seconds", (performance.now() - startedMs) / 1000, { result: held });
    if (held !== "held")
      log("error", "write.on_one_machine", {
        txid,
        reason:
          held === "alone"
            ? "no standby is connected"
            : `the standby did not have it within ${DURABLE_MS} ms`,
      });
  }
  return value;
}

function refusePromise<T>(value: T, name: string): T {
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
  const state = shared.__lecternDb;
  if (!state) return;
  if (state.queue.length > 0) await state.queue.push(() => {}, WRITE_TIMEOUT_MS).catch(() => {});
  shared.__lecternDb = undefined;
  for (const connection of state.all) connection.close();
}
