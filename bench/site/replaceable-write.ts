// Replaces lib/db/sql.ts in the bench site's copy of record-beacon.sql.ts, so that a request can
// replace its write: ?write=none skips the database, ?write=single uses one transaction per read.

import Database from "better-sqlite3";
import * as database from "#lib/db/sql.ts";
import { type Sql, createSql } from "#lib/db/connection.ts";
import { env } from "#lib/core/env.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";

export * from "#lib/db/sql.ts";

type WriteSql = typeof database.writeSql;

const NO_SQL: Sql = { get: () => undefined, all: () => [], run: () => ({ changes: 1 }) };

let connection: { db: Database.Database; sql: Sql } | undefined;

function openConnection() {
  if (!connection) {
    const db = new Database(env.DATABASE_FILE);
    db.pragma("synchronous = NORMAL");
    db.pragma("foreign_keys = ON");
    connection = { db, sql: createSql(db) };
  }
  return connection;
}

const REPLACEMENTS: readonly (readonly [query: string, write: WriteSql])[] = [
  ["?write=none", async (fn) => fn(NO_SQL)],
  [
    "?write=single",
    async (fn) => {
      const { db, sql } = openConnection();
      return db.transaction(() => fn(sql)).immediate();
    },
  ],
];

export const writeSql: WriteSql = (fn, options) => {
  const url = currentRequestContext()?.request.url ?? "";
  const [, write = database.writeSql] = REPLACEMENTS.find(([query]) => url.endsWith(query)) ?? [];
  return write(fn, options);
};
