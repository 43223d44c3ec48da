// One command at a time for a move: two that cut over at once would undo one another.

import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { AppError } from "#lib/core/errors.ts";
import { migrationFiles } from "./migration-state.ts";

function openLock(file: string): Database.Database {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return new Database(file, { timeout: 0 });
  } catch (error) {
    throw new AppError(
      "invalid",
      `--to: nothing can be written in ${dirname(file)} (${String((error as { code?: unknown }).code)}).`,
    );
  }
}

/**
 * Runs `work` while no other process works at the move to `to`. The operating system lets go when this process dies, however it dies. Throws
 * AppError(unavailable) while another one does.
 */
export async function withMigrationLock<T>(to: string, work: () => Promise<T>): Promise<T> {
  const { lock: file } = migrationFiles(to);
  const lock = openLock(file);
  try {
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (/^SQLITE_BUSY/.test(String((error as { code?: unknown }).code)))
      throw new AppError("unavailable", "Another process is at this move already. Stop it first.");
    throw error;
  }
  try {
    return await work();
  } finally {
    // While it is held: who opened it before gets nothing, who comes after makes another.
    rmSync(file, { force: true });
    lock.close();
  }
}
