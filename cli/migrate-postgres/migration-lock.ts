// Holds a mutex per migration: two concurrent commands would undo each other.

import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { AppError } from "#lib/core/errors.ts";
import { migrationFiles } from "./migration-state.ts";

/**
 * Opens `file` and takes SQLite's exclusive lock, which the operating system releases when the
 * process dies. Throws AppError(unavailable) if it is taken.
 */
export function acquireFileLock(file: string): Database.Database {
  const lock = new Database(file, { timeout: 0 });
  try {
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (/^SQLITE_BUSY/.test(String((error as { code?: unknown }).code)))
      throw new AppError(
        "unavailable",
        "Another process is working on this migration. Stop it first.",
      );
    throw error;
  }
}

/**
 * Runs `work` while no other process works on the migration to `target`. Throws
 * AppError(unavailable) if one does.
 */
export async function withMigrationLock<T>(target: string, work: () => Promise<T>): Promise<T> {
  const { lock: file } = migrationFiles(target);
  let lock: Database.Database;
  try {
    mkdirSync(dirname(file), { recursive: true });
    lock = acquireFileLock(file);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      "invalid",
      `--to: cannot write in ${dirname(file)} (${String((error as { code?: unknown }).code)}).`,
    );
  }
  try {
    return await work();
  } finally {
    // Removed while locked: a process that opened it earlier finds it locked; a later one creates a
    // new file.
    rmSync(file, { force: true });
    lock.close();
  }
}
