// The file that a move makes: its tables, what is put off until its rows are in, and how it becomes a whole database.

import { closeSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { AppError } from "#lib/core/errors.ts";
import { type Sql, createSql } from "#lib/db/connection.ts";
import { applyMigrations } from "#lib/db/migrations.ts";
import { QUARANTINE_TABLE, type TableMapping, quoteIdentifier } from "./table-mapping.ts";

const MIGRATIONS_DIR = join(import.meta.dirname, "..", "..", "prisma", "migrations");

/**
 * Makes `file` anew, with this site's tables, the move's side tables and no rows. Indexes and triggers of what is filled are put off until
 * finishLoad: made after the rows they take half the time, and triggers would count every row by itself.
 */
export async function createStagingDatabase(
  file: string,
  { id, tables }: { id: string; tables: readonly TableMapping[] },
): Promise<void> {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  // Everything that members wrote will be in it: nobody else reads it, nor what SQLite puts beside it.
  closeSync(openSync(file, "wx", 0o600));
  await applyMigrations(file, MIGRATIONS_DIR);
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec(`CREATE TABLE "_move" ("key" TEXT PRIMARY KEY NOT NULL, "value" TEXT NOT NULL)`);
    db.exec(
      `CREATE TABLE ${quoteIdentifier(QUARANTINE_TABLE)} ("source" TEXT NOT NULL, "key" TEXT NOT NULL, "why" TEXT NOT NULL, "row" TEXT NOT NULL, PRIMARY KEY ("source", "key"))`,
    );
    for (const { isSide, target, columns, key } of tables) {
      if (isSide)
        db.exec(
          `CREATE TABLE ${quoteIdentifier(target)} (${columns.map(({ name }) => `${quoteIdentifier(name)} TEXT`).join(", ")}${key.length > 0 ? `, PRIMARY KEY (${key.map(quoteIdentifier).join(", ")})` : ""})`,
        );
    }
    const later = db
      .prepare(
        `SELECT "type", "name", "sql" FROM sqlite_master WHERE "sql" IS NOT NULL AND ("type" = 'trigger' OR ("type" = 'index' AND "tbl_name" IN (SELECT "value" FROM json_each(?))))`,
      )
      .all(JSON.stringify(tables.map(({ target }) => target))) as {
      type: string;
      name: string;
      sql: string;
    }[];
    for (const { type, name } of later) db.exec(`DROP ${type} ${quoteIdentifier(name)}`);
    setMetadata(db, "id", id);
    setMetadata(
      db,
      "later",
      JSON.stringify(later.sort((a, b) => a.type.localeCompare(b.type)).map(({ sql }) => sql)),
    );
  } finally {
    db.close();
  }
}

/** What finishLoad checked. */
export interface LoadCheck {
  readonly integrityMs: number;
}

/**
 * Makes what was put off, and what triggers would have made of the rows; then checks foreign keys and the whole file. `rebuild` makes the counters
 * of reads. Throws AppError(conflict) where the file is not sound, with what SQLite says of it.
 */
export function finishLoad(
  file: string,
  { rebuild, position }: { rebuild: (sql: Sql) => unknown; position: string },
): LoadCheck {
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
    for (const sql of JSON.parse(getMetadata(db, "later")) as string[]) db.exec(sql);
    // As the trigger on Call does (docs/decisions/015).
    db.exec(
      `INSERT INTO "CallReview" ("callId", "changedAt") SELECT "id", "createdAt" FROM "Call"`,
    );
    rebuild(createSql(db));
    setMetadata(db, "position", position);
    db.prepare(`DELETE FROM "_move" WHERE "key" = 'later'`).run();
    db.exec("COMMIT");
    const orphans = db.pragma("foreign_key_check") as { table: string }[];
    if (orphans.length > 0)
      throw new AppError(
        "conflict",
        `${orphans.length} rows point at nothing, the first in ${orphans[0]!.table}.`,
      );
    const startedMs = performance.now();
    const said = (db.pragma("integrity_check(3)") as { integrity_check: string }[]).map(
      (row) => row.integrity_check,
    );
    const integrityMs = performance.now() - startedMs;
    if (said.join() !== "ok")
      throw new AppError("conflict", `The file that was made is not sound: ${said.join("; ")}`);
    db.pragma("locking_mode = NORMAL");
    db.pragma("journal_mode = WAL");
    return { integrityMs };
  } finally {
    db.close();
    syncFile(file);
  }
}

export interface StagingDatabase {
  readonly db: Database.Database;
  close(): void;
}

/**
 * The working file of the move `id`, opened to be written to; every commit is on the disk when it returns. Throws AppError(conflict) for another
 * move's file or one that is not complete, and AppError(unavailable) while another process has it open this way.
 */
export function openStagingDatabase(file: string, id: string): StagingDatabase {
  if (!existsSync(file)) throw new AppError("conflict", `${file} is gone: abort, and copy again.`);
  // The operating system lets go of it when this process dies, however it dies.
  const lock = new Database(`${file}-lock`, { timeout: 0 });
  let db: Database.Database | undefined;
  try {
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
    db = new Database(file, { timeout: 5_000 });
    const mark = db.prepare(`SELECT 1 FROM sqlite_master WHERE "name" = '_move'`).get()
      ? getMetadata(db, "id")
      : "";
    if (mark !== id || findMetadata(db, "later") !== null)
      throw new AppError(
        "conflict",
        `${file} belongs to another move, or is not complete: abort, and copy again.`,
      );
    // cache: counters touch pages all over the file. FULL: the source is told that it may forget what was committed here.
    for (const pragma of [
      "journal_mode = WAL",
      "synchronous = FULL",
      "foreign_keys = ON",
      "cache_size = -64000",
    ])
      db.pragma(pragma);
    const opened = db;
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
    if (/^SQLITE_BUSY/.test(String((error as { code?: unknown }).code)))
      throw new AppError("unavailable", "Another process is at this move already. Stop it first.");
    throw error;
  }
}

/**
 * Takes from the working file what says that it is one, and leaves it closed, in one piece, and on the disk. What it did not need is kept: Moved_ tables
 * stay. The move's `id` stays in its header, so that it is known again where it was put (hasArrived). Done twice it does nothing more.
 */
export function finishStagingDatabase(file: string, id: string): void {
  const db = new Database(file, { timeout: 5_000 });
  try {
    db.exec(`DROP TABLE IF EXISTS "_move"`);
    const hasAside =
      db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(QUARANTINE_TABLE) !== undefined;
    if (
      hasAside &&
      (
        db.prepare(`SELECT count(*) AS n FROM ${quoteIdentifier(QUARANTINE_TABLE)}`).get() as {
          n: number;
        }
      ).n === 0
    )
      db.exec(`DROP TABLE ${quoteIdentifier(QUARANTINE_TABLE)}`);
    db.pragma(`application_id = ${toApplicationId(id)}`);
    const size = db.pragma("page_size", { simple: true });
    if (size !== 4096)
      throw new AppError("conflict", `${file} has pages of ${String(size)} bytes, not 4096.`);
    const [{ busy }] = db.pragma("wal_checkpoint(TRUNCATE)") as [{ busy: number }];
    if (busy) throw new AppError("conflict", `${file} is open in another program: close it first.`);
  } finally {
    db.close();
  }
  for (const suffix of ["-lock", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  syncFile(file);
}

/** Where the working file is in the source's log. */
export function readPosition(file: string): string {
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    return getMetadata(db, "position");
  } finally {
    db.close();
  }
}

/** Whether the copy at `file` was finished: it can't follow any more. */
export function isStagingFinished(file: string): boolean {
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    return db.prepare(`SELECT 1 FROM sqlite_master WHERE "name" = '_move'`).get() === undefined;
  } finally {
    db.close();
  }
}

/** Throws AppError(conflict) where the file is not sound: a page, or an index that lacks a row, which no comparison of rows would show. */
export function assertIntact(file: string): void {
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    const said = (db.pragma("integrity_check(3)") as { integrity_check: string }[]).map(
      (row) => row.integrity_check,
    );
    if (said.join() !== "ok")
      throw new AppError(
        "conflict",
        `${file} is not sound any more (${said.join("; ")}): abort, and copy again.`,
      );
  } finally {
    db.close();
  }
}

/** Whether `file` is what the move `id` made, however it came there. */
export function isMigratedFile(file: string, id: string): boolean {
  if (!existsSync(file)) return false;
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    return db.pragma("application_id", { simple: true }) === toApplicationId(id);
  } finally {
    db.close();
  }
}

/** SQLite's header has 32 bits for whoever wrote the file. */
const toApplicationId = (id: string) => Number.parseInt(id.replaceAll("-", "").slice(0, 8), 16) | 0;

function syncFile(file: string): void {
  const fd = openSync(file, "r+");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What the working file says of itself: its move's `id`, its `position` in the source's log. */
export function findMetadata(db: Database.Database, key: string): string | null {
  return (
    (
      db.prepare(`SELECT "value" FROM "_move" WHERE "key" = ?`).get(key) as
        { value: string } | undefined
    )?.value ?? null
  );
}

function getMetadata(db: Database.Database, key: string): string {
  const value = findMetadata(db, key);
  if (value === null)
    throw new AppError("conflict", "The working file is not complete: abort, and copy again.");
  return value;
}

export function setMetadata(db: Database.Database, key: string, value: string): void {
  db.prepare(`INSERT OR REPLACE INTO "_move" ("key", "value") VALUES (?, ?)`).run(key, value);
}
