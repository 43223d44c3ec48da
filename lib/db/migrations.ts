// Applies prisma/migrations in order and keeps Prisma's own record of them, so that
// `prisma migrate deploy` can take over wherever its engine can be had.

import { createHash, randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { log } from "#lib/core/log.ts";
import { openConnection } from "./connection.ts";

export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file in hex: what Prisma records. */
  readonly checksum: string;
}

/** The table that Prisma's engine makes, to the letter. */
const CREATE_MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`;

/** The migrations below `dir`, oldest first. */
export function readMigrations(dir: string): Migration[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(dir, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
}

/**
 * Brings the database file up to date; makes it if it is not there. Returns the names of what was applied now.
 * Each migration is one transaction with its record. Throws, with nothing of that migration applied, when SQL
 * fails, when an applied file has changed since, or when the database knows a migration that this code does not;
 * with `isNewerFine` that is only logged: in a cluster old code runs on the schema of newer code during a deploy, and after one is taken back.
 */
export async function applyMigrations(
  file: string,
  dir: string,
  { isNewerFine = false }: { isNewerFine?: boolean } = {},
): Promise<string[]> {
  const { db, close } = await openConnection(file, "writer", 30_000);
  const applied: string[] = [];
  try {
    // lib/migrate drops this table last of all.
    if (db.prepare(`SELECT 1 FROM sqlite_master WHERE "name" = '_move'`).get())
      throw new Error(
        `${file} is a move from Postgres that is not finished: npm run migrate:postgres -- resume goes on with it.`,
      );
    db.exec(CREATE_MIGRATIONS_TABLE);
    const migrations = readMigrations(dir);
    // One look per migration, inside its transaction: two processes that start together must not both apply it.
    const find = db.prepare(
      `SELECT "checksum" FROM "_prisma_migrations" WHERE "migration_name" = ? AND "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`,
    );
    for (const migration of migrations) {
      db.exec("BEGIN IMMEDIATE");
      try {
        const known = find.get(migration.name) as { checksum: string } | undefined;
        if (known && known.checksum !== migration.checksum) {
          throw new Error(
            `Migration ${migration.name} was applied with other contents. Put its file back and add a new migration instead.`,
          );
        }
        if (!known) {
          const now = Date.now();
          db.exec(migration.sql);
          const broken = db.pragma("foreign_key_check") as unknown[];
          if (broken.length > 0)
            throw new Error(
              `Migration ${migration.name} leaves ${broken.length} rows that point at nothing.`,
            );
          db.prepare(
            `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at", "applied_steps_count") VALUES (?, ?, ?, ?, ?, 1)`,
          ).run(randomUUID(), migration.checksum, now, migration.name, now);
          applied.push(migration.name);
        }
        db.exec("COMMIT");
      } catch (error) {
        if (db.inTransaction) db.exec("ROLLBACK");
        throw error;
      }
    }
    const known = new Set(migrations.map(({ name }) => name));
    const foreign = (
      db
        .prepare(
          `SELECT "migration_name" AS name FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL`,
        )
        .all() as { name: string }[]
    ).filter(({ name }) => !known.has(name));
    if (foreign.length > 0) {
      const names = foreign.map(({ name }) => name);
      if (isNewerFine) log("warn", "db.newer_schema", { migrations: names });
      else
        throw new Error(
          `The database was made by newer code: it has ${names.join(", ")}, which this version does not know.`,
        );
    }
    return applied;
  } finally {
    close();
  }
}
