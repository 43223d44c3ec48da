// Replaces the site's POST /reads: ?write=none skips the database, ?write=single uses one
// transaction per read.

import Database from "better-sqlite3";
import { countRead } from "#app/reads/count-read.ts";
import { type WriteSql, withWrite } from "#bench/site/replaceable-write.ts";
import { env } from "#lib/core/env.ts";
import { type Sql, createSql } from "#lib/db/connection.ts";

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

const WRITES: Record<string, WriteSql> = {
  none: async (fn) => fn(NO_SQL),
  single: async (fn) => {
    const { db, sql } = openConnection();
    return db.transaction(() => fn(sql)).immediate();
  },
};

export function POST(request: Request): Promise<Response> {
  const write = WRITES[new URL(request.url).searchParams.get("write") ?? ""];
  return write ? withWrite(write, () => countRead(request)) : countRead(request);
}
