// One SQLite connection that Prisma and plain SQL share: both see the same transaction.

import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type Database from "better-sqlite3";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import type { SqlDriverAdapter } from "@prisma/driver-adapter-utils";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { isReplicated } from "#lib/core/instance.ts";

/** A value that SQLite can store. Dates are integer milliseconds; `undefined` is refused (it would become NULL). */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** Synchronous SQL on one connection, inside one transaction. Statements are prepared once and kept. */
export interface Sql {
  /** The first row, or undefined. */
  get<Row>(text: string, ...values: SqlValue[]): Row | undefined;
  /** Every row, in memory: bound the query. */
  all<Row>(text: string, ...values: SqlValue[]): Row[];
  /** Runs a statement without rows; `changes` counts the rows it wrote itself, not those its triggers wrote. */
  run(text: string, ...values: SqlValue[]): { changes: number };
}

export interface Connection {
  readonly db: Database.Database;
  /** Prisma's own adapter over `db`: it turns rows and errors into what Prisma expects. */
  readonly adapter: SqlDriverAdapter;
  readonly sql: Sql;
  close(): void;
}

/** A write that LiteFS refused, since this instance is not the primary (any more). `statement` is its text, without values. */
export class WriteRefusedError extends AppError {
  readonly statement: string;

  constructor(statement: string, cause: unknown) {
    super("unavailable", "Writes are paused for some seconds: this instance is not the primary.", {
      retryAfterSeconds: 5,
      cause,
    });
    this.statement = statement.trim().slice(0, 200);
    log("error", "write.refused", { statement: this.statement, error: cause });
  }
}

/** SQLite's code of an error, "" where there is none. Prisma's adapter keeps it in the cause of its own error. */
export function sqliteErrorCode(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { originalCode?: unknown } };
  return String(code ?? cause?.originalCode ?? "");
}

/** What LiteFS' refusal looks like from SQLite: "disk I/O error" in WAL mode (traps 17, 18 of the notes on LiteFS). Anything else comes back as it is. */
export function toWriteRefusedError(error: unknown, text: string): unknown {
  if (!isReplicated()) return error;
  return /^SQLITE_(IOERR|READONLY)/.test(sqliteErrorCode(error))
    ? new WriteRefusedError(text, error)
    : error;
}

/** How many prepared statements a connection keeps. The site has about a hundred different ones. */
const MAX_PREPARED_STATEMENTS = 500;

function assertNoUndefined(text: string, values: readonly unknown[]): void {
  const at = values.indexOf(undefined);
  if (at >= 0) throw new TypeError(`Value ${at + 1} is undefined in: ${text.trim().slice(0, 200)}`);
}

export function createSql(db: Database.Database): Sql {
  const statements = new Map<string, Database.Statement>();
  const prepare = (text: string): Database.Statement => {
    let statement = statements.get(text);
    if (!statement) {
      if (statements.size >= MAX_PREPARED_STATEMENTS) statements.clear();
      // Prisma's adapter turns on 64-bit integers for the connection; plain SQL wants numbers.
      statement = db.prepare(text).safeIntegers(false);
      statements.set(text, statement);
    }
    return statement;
  };
  return {
    get<Row>(text: string, ...values: SqlValue[]) {
      assertNoUndefined(text, values);
      return prepare(text).get(...values) as Row | undefined;
    },
    all<Row>(text: string, ...values: SqlValue[]) {
      assertNoUndefined(text, values);
      return prepare(text).all(...values) as Row[];
    },
    run(text: string, ...values: SqlValue[]) {
      assertNoUndefined(text, values);
      try {
        return { changes: prepare(text).run(...values).changes };
      } catch (error) {
        throw toWriteRefusedError(error, text);
      }
    },
  };
}

/**
 * Opens `file` (made if it does not exist) in WAL mode with 4096-byte pages and foreign keys.
 * A reader is `query_only`: SQLite itself refuses a write that did not come through the door.
 * The journal mode is set once, on creation, and never again: changing it on a live LiteFS cluster
 * destroys the replicas.
 */
export async function openConnection(
  file: string,
  kind: "reader" | "writer",
  busyTimeoutMs: number,
): Promise<Connection> {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  const factory = new PrismaBetterSqlite3(
    { url: `file:${resolve(file)}`, timeout: busyTimeoutMs },
    { timestampFormat: "unixepoch-ms" },
  );
  const adapter = await factory.connect();
  // The adapter keeps its connection in a field that its types call private; tests fail if that changes.
  const db = (adapter as unknown as { client: Database.Database }).client;
  if (kind === "writer") {
    if (db.pragma("journal_mode", { simple: true }) !== "wal") {
      if (isReplicated() && Number(db.pragma("page_count", { simple: true })) !== 0) {
        db.close();
        throw new Error(
          `${file} is not in WAL mode, and LiteFS does not survive a change of it. Make it anew: docs/runbooks/restore.md`,
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
  db.pragma("cache_size = -4000"); // 4 MB a connection; the operating system caches the file once for all of them
  return { db, adapter, sql: createSql(db), close: () => db.close() };
}
