// Applies prisma/migrations in order and records them like Prisma, so that `prisma migrate deploy`
// can take over.

import { createHash, randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type Database from "better-sqlite3";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { openConnection } from "./connection.ts";

/** Marks a staging database; cli/migrate-postgres drops it when the database is complete. */
export const STAGING_TABLE = "_staging_metadata";

export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file in hex, as Prisma records it. */
  readonly checksum: string;
}

/** Identical to the table that Prisma's engine creates. */
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

/** Reads the migrations in `dir`, oldest first. */
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

/** Returns the applied migrations; empty for a database without the migrations table. */
export function readAppliedMigrations(db: Database.Database): Omit<Migration, "sql">[] {
  if (!db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = '_prisma_migrations'`).get()) return [];
  return db
    .prepare(
      `SELECT "migration_name" AS name, "checksum" FROM "_prisma_migrations" WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`,
    )
    .all() as Omit<Migration, "sql">[];
}

/**
 * Applies the pending migrations to `file`, which is created if missing, and returns their names.
 * Each migration and its record share one transaction. Throws if SQL fails, an applied migration's
 * file has changed, or the database has a migration that this code lacks. With `allowNewerSchema`
 * the latter is only logged: during a deploy or rollback in a cluster, old code runs on a newer
 * schema.
 */
export async function applyMigrations(
  file: string,
  dir: string,
  { allowNewerSchema = false }: { allowNewerSchema?: boolean } = {},
): Promise<string[]> {
  const { db, close } = await openConnection(file, "writer", 30_000);
  try {
    if (db.prepare(`SELECT 1 FROM sqlite_master WHERE "name" = ?`).get(STAGING_TABLE))
      throw new AppError(
        "conflict",
        `${file} is an unfinished migration from PostgreSQL: continue it with npm run migrate:postgres -- resume.`,
      );
    db.exec(CREATE_MIGRATIONS_TABLE);
    const migrations = readMigrations(dir);
    const appliedNames: string[] = [];
    for (const migration of migrations)
      if (applyMigration(db, migration)) appliedNames.push(migration.name);
    const newerNames = listNewerMigrations(db, migrations);
    if (newerNames.length > 0 && !allowNewerSchema)
      throw new AppError(
        "conflict",
        `${file} was migrated by newer code. This version lacks ${newerNames.join(", ")}. Use the newer version, or restore a backup that is older than it.`,
      );
    if (newerNames.length > 0) log("warn", "db.newer_schema", { migrations: newerNames });
    return appliedNames;
  } finally {
    close();
  }
}

/**
 * Applies a migration in one transaction with its record; returns false if it was applied before.
 * Throws AppError(conflict) if it was applied with other contents.
 */
function applyMigration(db: Database.Database, migration: Migration): boolean {
  // Checked inside the transaction, so that of two concurrent processes only one applies it.
  db.exec("BEGIN IMMEDIATE");
  try {
    const record = db
      .prepare(
        `SELECT "checksum" FROM "_prisma_migrations" WHERE "migration_name" = ? AND "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`,
      )
      .get(migration.name) as { checksum: string } | undefined;
    if (record && record.checksum !== migration.checksum)
      throw new AppError(
        "conflict",
        `Migration ${migration.name} was applied with different contents. Restore its file and add a new migration instead.`,
      );
    if (!record) {
      const now = Date.now();
      execNamed(db, migration);
      const violations = db.pragma("foreign_key_check") as unknown[];
      if (violations.length > 0)
        throw new Error(
          `Migration ${migration.name} leaves ${violations.length} rows that violate a foreign key.`,
        );
      db.prepare(
        `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at", "applied_steps_count") VALUES (?, ?, ?, ?, ?, 1)`,
      ).run(randomUUID(), migration.checksum, now, migration.name, now);
    }
    db.exec("COMMIT");
    return !record;
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** Returns the names of the migrations in the database that this code lacks. */
function listNewerMigrations(db: Database.Database, migrations: readonly Migration[]): string[] {
  const ownNames = new Set(migrations.map(({ name }) => name));
  const names = db
    .prepare(`SELECT "migration_name" FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL`)
    .pluck()
    .all() as string[];
  return names.filter((name) => !ownNames.has(name));
}

/** Runs the statements of a migration. An error names the migration. */
function execNamed(db: Database.Database, { name, sql }: Migration): void {
  try {
    db.exec(sql);
  } catch (error) {
    throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error });
  }
}
