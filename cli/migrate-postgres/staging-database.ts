// Creates, opens and finishes the staging database: the target's tables, filled before their
// indexes and triggers exist.

import { closeSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { AppError } from "#lib/core/errors.ts";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { type Sql, createSql } from "#lib/db/connection.ts";
import { STAGING_TABLE, applyMigrations } from "#lib/db/migrations.ts";
import { acquireFileLock } from "./migration-lock.ts";
import { createQuarantineTable, dropEmptyQuarantine } from "./quarantine.ts";
import { KNOWN_TABLES, SIDE_PREFIX, type TableMapping } from "./table-mapping.ts";

const MIGRATIONS_DIR = join(import.meta.dirname, "..", "..", "prisma", "migrations");

/**
 * Creates `file` with this site's tables, the side tables and no rows. Indexes and triggers are
 * deferred to finishLoad: indexes built after the rows take half the time, and triggers would count
 * every row separately.
 */
export async function createStagingDatabase(
  file: string,
  { id, tables }: { id: string; tables: readonly TableMapping[] },
): Promise<void> {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  // SQLite gives -wal and -shm the same mode: only the owner may read members' data.
  closeSync(openSync(file, "wx", 0o600));
  await applyMigrations(file, MIGRATIONS_DIR);
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec(
      `CREATE TABLE "${STAGING_TABLE}" ("key" TEXT PRIMARY KEY NOT NULL, "value" TEXT NOT NULL)`,
    );
    createQuarantineTable(db);
    for (const { isSide, target, columns, key } of tables) {
      if (isSide)
        db.exec(
          `CREATE TABLE ${quoteIdentifier(target)} (${columns.map(({ name }) => `${quoteIdentifier(name)} TEXT`).join(", ")}${key.length > 0 ? `, PRIMARY KEY (${key.map(quoteIdentifier).join(", ")})` : ""})`,
        );
    }
    const deferred = db
      .prepare(
        `SELECT "type", "name", "sql" FROM sqlite_master WHERE "sql" IS NOT NULL AND ("type" = 'trigger' OR ("type" = 'index' AND "tbl_name" IN (SELECT "value" FROM json_each(?)))) ORDER BY "type", rowid`,
      )
      .all(JSON.stringify(tables.map(({ target }) => target))) as {
      type: string;
      name: string;
      sql: string;
    }[];
    for (const { type, name } of deferred) db.exec(`DROP ${type} ${quoteIdentifier(name)}`);
    setMetadata(db, "id", id);
    setMetadata(db, "deferred", JSON.stringify(deferred.map(({ sql }) => sql)));
  } finally {
    db.close();
  }
}

/**
 * Creates the deferred indexes and triggers, inserts the rows that the triggers would have, and
 * checks the whole file. Returns how long the integrity check took. Throws AppError(conflict) if
 * the file is damaged or a foreign key is broken.
 */
export function finishLoad(
  file: string,
  { rebuildCounters, position }: { rebuildCounters: (sql: Sql) => unknown; position: string },
): { integrityMs: number } {
  const db = new Database(file, { timeout: 0 });
  try {
    for (const pragma of [
      "locking_mode = EXCLUSIVE",
      "journal_mode = MEMORY",
      "synchronous = OFF",
      "cache_size = -16000",
      "threads = 2",
    ])
      db.pragma(pragma);
    db.exec("BEGIN");
    for (const sql of JSON.parse(getMetadata(db, "deferred")) as string[]) db.exec(sql);
    // Does what the trigger on Call does (docs/decisions/015).
    db.exec(
      `INSERT INTO "CallReview" ("callId", "changedAt") SELECT "id", "createdAt" FROM "Call"`,
    );
    rebuildCounters(createSql(db));
    setMetadata(db, "position", position);
    db.prepare(`DELETE FROM "${STAGING_TABLE}" WHERE "key" = 'deferred'`).run();
    db.exec("COMMIT");
    const orphans = db.pragma("foreign_key_check") as { table: string }[];
    if (orphans.length > 0)
      throw new AppError(
        "conflict",
        `${orphans.length} rows have a broken foreign key, the first in ${orphans[0]!.table}.`,
      );
    const startedMs = performance.now();
    const damage = findDamage(db);
    const integrityMs = performance.now() - startedMs;
    if (damage !== null) throw new AppError("conflict", `The copy is damaged: ${damage}`);
    db.pragma("locking_mode = NORMAL");
    db.pragma("journal_mode = WAL");
    return { integrityMs };
  } finally {
    db.close();
    syncFile(file);
  }
}

/** Returns what SQLite's integrity check reports, or null for an intact file. */
function findDamage(db: Database.Database): string | null {
  const report = (db.pragma("integrity_check(3)") as { integrity_check: string }[]).map(
    (row) => row.integrity_check,
  );
  return report.join() === "ok" ? null : report.join("; ");
}

export interface StagingDatabase {
  readonly db: Database.Database;
  close(): void;
}

/**
 * Opens the staging database of the migration `id` for writing; every commit is synced. Throws
 * AppError(conflict) for an incomplete file or another migration's, AppError(unavailable) while
 * another process has it open.
 */
export function openStagingDatabase(file: string, id: string): StagingDatabase {
  if (!existsSync(file))
    throw new AppError("conflict", `${file} is missing. Abort, then copy again.`);
  const lock = acquireFileLock(`${file}-lock`);
  let db: Database.Database | undefined;
  try {
    const opened = new Database(file, { timeout: 5_000 });
    db = opened;
    const isComplete =
      hasStagingTable(opened) &&
      getMetadata(opened, "id") === id &&
      findMetadata(opened, "deferred") === null;
    if (!isComplete)
      throw new AppError(
        "conflict",
        `${file} belongs to another migration, or is incomplete. Abort, then copy again.`,
      );
    // The cache is large because counters touch pages all over the file. synchronous = FULL,
    // because the source discards what is committed here.
    for (const pragma of [
      "journal_mode = WAL",
      "synchronous = FULL",
      "foreign_keys = ON",
      "cache_size = -64000",
    ])
      opened.pragma(pragma);
    return {
      db: opened,
      close() {
        opened.close();
        lock.close();
      },
    };
  } catch (error) {
    db?.close();
    lock.close();
    throw error;
  }
}

/**
 * Turns the staging database into a closed, checkpointed and synced site database. Side tables and
 * a non-empty quarantine stay. Stores the `id` in SQLite's header, so that isMigratedFile
 * recognizes the file. Idempotent.
 */
export function finishStagingDatabase(file: string, id: string): void {
  const db = new Database(file, { timeout: 5_000 });
  try {
    db.exec(`DROP TABLE IF EXISTS "${STAGING_TABLE}"`);
    dropEmptyQuarantine(db);
    deleteSideRowsWithTheirRow(db);
    db.pragma(`application_id = ${toApplicationId(id)}`);
    const size = db.pragma("page_size", { simple: true });
    if (size !== 4096)
      throw new AppError("conflict", `${file} has pages of ${String(size)} bytes, not 4096.`);
    const [{ busy }] = db.pragma("wal_checkpoint(TRUNCATE)") as [{ busy: number }];
    if (busy) throw new AppError("conflict", `${file} is open in another program. Close it first.`);
  } finally {
    db.close();
  }
  for (const suffix of ["-lock", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  syncFile(file);
}

/** Creates triggers that delete a row's unknown columns with it: they may be personal data. */
function deleteSideRowsWithTheirRow(db: Database.Database): void {
  const find = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  for (const { target } of KNOWN_TABLES) {
    const side = `${SIDE_PREFIX}${target}`;
    if (find.get(side))
      db.exec(
        `CREATE TRIGGER IF NOT EXISTS "${side}_deleted" AFTER DELETE ON "${target}" BEGIN DELETE FROM "${side}" WHERE "id" = OLD."id"; END`,
      );
  }
}

/** Returns the LSN up to which all commits of the source are applied. */
export function readPosition(file: string): string {
  return withReadOnly(file, (db) => getMetadata(db, "position"));
}

/** Returns whether finishStagingDatabase has run. If so, no more changes can be applied. */
export function isStagingFinished(file: string): boolean {
  return withReadOnly(file, (db) => !hasStagingTable(db));
}

/**
 * Throws AppError(conflict) for a damaged page or an index entry without a row, which comparing
 * rows does not find.
 */
export function assertIntact(file: string): void {
  const damage = withReadOnly(file, findDamage);
  if (damage !== null)
    throw new AppError("conflict", `${file} is damaged (${damage}). Abort, then copy again.`);
}

/** Returns whether `file` is the finished database of the migration `id`. */
export function isMigratedFile(file: string, id: string): boolean {
  return (
    existsSync(file) &&
    withReadOnly(
      file,
      (db) => db.pragma("application_id", { simple: true }) === toApplicationId(id),
    )
  );
}

/** SQLite's header has 32 bits for the application id. */
const toApplicationId = (id: string) => Number.parseInt(id.replaceAll("-", "").slice(0, 8), 16) | 0;

function withReadOnly<T>(file: string, read: (db: Database.Database) => T): T {
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

function syncFile(file: string): void {
  const fd = openSync(file, "r+");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const hasStagingTable = (db: Database.Database) =>
  db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(STAGING_TABLE) !== undefined;

/** Reads the staging database's `id`, `position` (an LSN) or `deferred` statements. */
export function findMetadata(db: Database.Database, key: string): string | null {
  const value = db.prepare(`SELECT "value" FROM "${STAGING_TABLE}" WHERE "key" = ?`).pluck();
  return (value.get(key) as string | undefined) ?? null;
}

function getMetadata(db: Database.Database, key: string): string {
  const value = findMetadata(db, key);
  if (value === null)
    throw new AppError("conflict", "The staging database is incomplete. Abort, then copy again.");
  return value;
}

/** Stores a value for findMetadata. */
export function setMetadata(db: Database.Database, key: string, value: string): void {
  db.prepare(`INSERT OR REPLACE INTO "${STAGING_TABLE}" ("key", "value") VALUES (?, ?)`).run(
    key,
    value,
  );
}
