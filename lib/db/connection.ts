// Opens SQLite connections that Prisma and plain SQL share, so that both see the same transaction.

import { dirname, resolve } from "node:path";
import type Database from "better-sqlite3";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import type { SqlDriverAdapter } from "@prisma/driver-adapter-utils";
import { createFolder } from "#lib/core/create-folder.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { sqliteErrorCode } from "#lib/core/sqlite-error.ts";
import { measureQuery } from "./query-log.ts";

/** A value that SQLite can store; dates are integer milliseconds since the Unix epoch. */
export type SqlValue = string | number | bigint | Uint8Array | null;

/**
 * Synchronous SQL in one transaction. Prepared statements are cached; `undefined` values throw
 * TypeError.
 */
export interface Sql {
  /** Returns the first row, or undefined. */
  get<Row>(text: string, ...values: SqlValue[]): Row | undefined;
  /** Returns all rows, in memory: limit the query. */
  all<Row>(text: string, ...values: SqlValue[]): Row[];
  /** Runs a statement that returns no rows. `changes` excludes rows that triggers changed. */
  run(text: string, ...values: SqlValue[]): { changes: number };
}

export interface Connection {
  readonly db: Database.Database;
  /** Prisma's own adapter over `db`. */
  readonly adapter: SqlDriverAdapter;
  readonly sql: Sql;
  /** Aborts when the connection closes. */
  readonly closed: AbortSignal;
  close(): void;
}

/**
 * Thrown if LiteFS refuses a write because this instance is not the primary. `statement` is the SQL
 * without its values.
 */
class WriteRefusedError extends AppError {
  readonly statement: string;

  constructor(statement: string, cause: unknown) {
    super("unavailable", "Writes are paused for a few seconds: this instance is not the primary.", {
      retryAfterSeconds: 5,
      cause,
    });
    this.statement = statement.trim().slice(0, 200);
    log("error", "write.refused", { statement: this.statement, error: cause });
  }
}

/**
 * Returns a WriteRefusedError for LiteFS's refusal, which SQLite reports as "disk I/O error" in WAL
 * mode; any other error unchanged.
 */
export function toWriteRefusedError(error: unknown, text: string): unknown {
  if (!isReplicated()) return error;
  return /^SQLITE_(IOERR|READONLY)/.test(sqliteErrorCode(error))
    ? new WriteRefusedError(text, error)
    : error;
}

/** Maximum cached statements per connection. The site has about a hundred. */
const MAX_PREPARED_STATEMENTS = 500;

function assertNoUndefined(text: string, values: readonly unknown[]): void {
  const index = values.indexOf(undefined);
  if (index >= 0)
    throw new TypeError(`Value ${index + 1} is undefined in: ${text.trim().slice(0, 200)}`);
}

/** Returns `prepare` with a cache of its statements. */
function cacheStatements(
  prepare: (text: string) => Database.Statement,
): (text: string) => Database.Statement {
  const statements = new Map<string, Database.Statement>();
  return (text) => {
    let statement = statements.get(text);
    if (!statement) {
      if (statements.size >= MAX_PREPARED_STATEMENTS) statements.clear();
      statement = prepare(text);
      statements.set(text, statement);
    }
    return statement;
  };
}

export function createSql(db: Database.Database): Sql {
  // Prisma's adapter enables 64-bit integers for the connection; plain SQL uses numbers.
  const prepare = cacheStatements((text) => db.prepare(text).safeIntegers(false));
  return {
    get<Row>(text: string, ...values: SqlValue[]) {
      assertNoUndefined(text, values);
      return measureQuery(text, () => prepare(text).get(...values)) as Row | undefined;
    },
    all<Row>(text: string, ...values: SqlValue[]) {
      assertNoUndefined(text, values);
      return measureQuery(text, () => prepare(text).all(...values)) as Row[];
    },
    run(text: string, ...values: SqlValue[]) {
      assertNoUndefined(text, values);
      try {
        return { changes: measureQuery(text, () => prepare(text).run(...values)).changes };
      } catch (error) {
        throw toWriteRefusedError(error, text);
      }
    },
  };
}

/**
 * Wraps `db` for Prisma's adapter and caches its prepared statements. The adapter itself prepares
 * every query again: a page's three queries take 0.57 ms of CPU, and 0.43 ms with the cache.
 * Sharing a statement is safe, because the adapter binds, runs and reads it synchronously.
 */
function withPreparedStatements(db: Database.Database): Pick<Database.Database, "exec" | "close"> {
  const columns = new WeakMap<Database.Statement, Database.ColumnDefinition[]>();
  const prepare = cacheStatements((text) => {
    const statement = db.prepare(text);
    if (statement.reader) columns.set(statement.raw(), statement.columns());
    return statement;
  });
  return {
    exec: (text) => db.exec(text),
    close: () => db.close(),
    prepare: (text: string) => ({
      bind: (values: unknown[]) => {
        const statement = prepare(text);
        return {
          reader: statement.reader,
          columns: () => columns.get(statement),
          raw: () => ({ all: () => measureQuery(text, () => statement.all(values)) }),
          run: () => measureQuery(text, () => statement.run(values)),
        };
      },
    }),
  } as Pick<Database.Database, "exec" | "close">;
}

/**
 * Opens `file`, or creates it, in WAL mode with 4096-byte pages and foreign keys. A reader is
 * `query_only`, so SQLite refuses a write outside the write path. The journal mode is set only on
 * creation, because changing it would destroy LiteFS replicas.
 */
export async function openConnection(
  file: string,
  kind: "reader" | "writer",
  busyTimeoutMs: number,
): Promise<Connection> {
  createFolder(dirname(resolve(file)));
  const factory = new PrismaBetterSqlite3(
    { url: `file:${resolve(file)}`, timeout: busyTimeoutMs },
    { timestampFormat: "unixepoch-ms" },
  );
  const adapter = await factory.connect();
  // The adapter's types declare its connection private; tests fail if the field moves.
  const internals = adapter as unknown as { client: Database.Database };
  const db = internals.client;
  internals.client = withPreparedStatements(db) as Database.Database;
  if (kind === "writer") {
    if (db.pragma("journal_mode", { simple: true }) !== "wal") {
      if (isReplicated() && Number(db.pragma("page_count", { simple: true })) !== 0) {
        db.close();
        throw new Error(
          `${file} is not in WAL mode, and LiteFS replicas can't survive a mode change. Recreate the database: docs/runbooks/restore.md`,
        );
      }
      db.pragma("page_size = 4096");
      db.pragma("journal_mode = WAL");
    }
  } else {
    db.pragma("query_only = ON");
  }
  db.pragma("foreign_keys = ON");
  db.pragma("synchronous = NORMAL");
  db.pragma("temp_store = MEMORY");
  db.pragma("cache_size = -4000"); // 4 MB per connection; the OS caches the file for all of them
  const closing = new AbortController();
  const close = () => {
    closing.abort();
    db.close();
  };
  return { db, adapter, sql: createSql(db), closed: closing.signal, close };
}
