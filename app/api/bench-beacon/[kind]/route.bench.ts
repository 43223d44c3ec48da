// The beacon with its database call taken out, or with a transaction of its own for each. Part of bench builds only.

import Database from "better-sqlite3";
import { countRead } from "../../../reads/count-read.ts";
import { env } from "#lib/core/env.ts";
import { type Sql, createSql } from "#lib/db/connection.ts";

const nothing: Sql = { get: () => undefined, all: () => [], run: () => ({ changes: 1 }) };

let own: { db: Database.Database; sql: Sql } | undefined;
function connection() {
  if (!own) {
    const db = new Database(env.DATABASE_FILE);
    db.pragma("synchronous = NORMAL");
    db.pragma("foreign_keys = ON");
    own = { db, sql: createSql(db) };
  }
  return own;
}

export async function POST(
  request: Request,
  { params }: { params: Promise<{ kind: string }> },
): Promise<Response> {
  const { kind } = await params;
  if (kind === "none") return countRead(request, async (fn) => fn(nothing));
  return countRead(request, async (fn) => {
    const { db, sql } = connection();
    return db.transaction(() => fn(sql)).immediate();
  });
}
