// Swaps the finished database in: by rename, by SQLite's backup API under a running site, or by
// LiteFS import.

import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { AppError } from "#lib/core/errors.ts";
import { readAppliedMigrations } from "#lib/db/migrations.ts";
import { importDatabase } from "#lib/replication/import-database.ts";
import { fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";

/** Where the migrated database will be served. */
export type SwapTarget =
  | { readonly kind: "file"; readonly file: string }
  /** The database `name` of the primary's LiteFS at `url`; `mounted` is its file. */
  | {
      readonly kind: "litefs";
      readonly url: string;
      readonly name: string;
      readonly mounted: string;
    };

/** Returns the file that the site reads. */
export function servedFileOf(target: SwapTarget): string {
  return target.kind === "file" ? target.file : target.mounted;
}

const IMPORT_TIMEOUT_MS = 600_000;

/** Tables that only the target has, and whose rows don't refer to members. */
const CARRIED_OVER_TABLES = ["ContentVersion", "PostChange", "Subscriber"];

/**
 * Returns the number of members in the current database; null without one. Throws AppError(conflict)
 * on a replica, and for a file that is not this site's database.
 */
export async function countTargetMembers(target: SwapTarget): Promise<number | null> {
  const file = servedFileOf(target);
  if (target.kind === "litefs") {
    const state = await fetchLitefsNodeState(target.url, target.name).catch((error: Error) => {
      throw new AppError(
        "unavailable",
        `LiteFS at ${target.url} is not responding: ${error.message}`,
      );
    });
    if (!state.isPrimary)
      throw new AppError(
        "conflict",
        "This machine is not the primary. Run the command there (see /admin/cluster).",
      );
  }
  if (!existsSync(file)) return null;
  const db = new Database(file, { readonly: true, timeout: 2_000 });
  try {
    if (db.pragma("page_size", { simple: true }) !== 4096)
      throw new AppError(
        "conflict",
        `${file} does not have pages of 4096 bytes: SQLite cannot replace it while it is in use.`,
      );
    return db.prepare(`SELECT count(*) FROM "User"`).pluck().get() as number;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      "conflict",
      `${file} is not a database of this site: ${(error as Error).message}`,
    );
  } finally {
    db.close();
  }
}

/**
 * Throws AppError(conflict) if this site was upgraded after the copy. The staging database lacks
 * the new migrations, which a running site doesn't apply.
 */
export function assertSameMigrations(target: SwapTarget, staging: string): void {
  const file = servedFileOf(target);
  if (!existsSync(file)) return;
  const copied = listMigrations(staging);
  const added = listMigrations(file).find((name) => !copied.includes(name));
  if (added !== undefined)
    throw new AppError(
      "conflict",
      `This site was upgraded after the copy was made, so the copy lacks the migration ${added}. Run abort, then copy again.`,
    );
}

function listMigrations(file: string): string[] {
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    return readAppliedMigrations(db).map(({ name }) => name);
  } finally {
    db.close();
  }
}

/**
 * Returns whether another connection is open: in WAL mode it holds a shared lock, which prevents an
 * exclusive one.
 */
function isInUse(file: string): boolean {
  const db = new Database(file, { timeout: 0 });
  try {
    db.pragma("locking_mode = EXCLUSIVE");
    db.exec("BEGIN EXCLUSIVE; ROLLBACK");
    return false;
  } catch (error) {
    if (/^SQLITE_BUSY/.test(String((error as { code?: unknown }).code))) return true;
    throw error;
  } finally {
    db.close();
  }
}

/**
 * Backs up the current database, which may be in use, to `backupFile`. Returns false if there is no
 * database.
 */
export function backupTarget(target: SwapTarget, backupFile: string): boolean {
  const file = servedFileOf(target);
  const temporary = `${backupFile}.new`;
  if (!existsSync(file)) return false;
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    rmSync(temporary, { force: true });
    closeSync(openSync(temporary, "wx", 0o600));
    db.prepare("VACUUM INTO ?").run(temporary);
  } finally {
    db.close();
  }
  // LiteFS imports only WAL databases, and VACUUM INTO doesn't create one.
  const backup = new Database(temporary);
  try {
    backup.pragma("journal_mode = WAL");
  } finally {
    backup.close();
  }
  renameSync(temporary, backupFile);
  return true;
}

/**
 * Copies the target's settings, such as the published content version, and its newsletter
 * subscribers into the staging database. Idempotent.
 */
export function carryOverSettings(target: SwapTarget, staging: string): void {
  const file = servedFileOf(target);
  if (!existsSync(file)) return;
  const current = new Database(file, { readonly: true, timeout: 5_000 });
  const migrated = new Database(staging);
  try {
    migrated.exec("BEGIN");
    for (const table of CARRIED_OVER_TABLES) {
      // Removes the rows of an earlier attempt, because readers may have unsubscribed since.
      migrated.exec(`DELETE FROM "${table}"`);
      if (current.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table) === undefined)
        continue;
      for (const row of current.prepare(`SELECT * FROM "${table}"`).all() as Record<
        string,
        unknown
      >[]) {
        const names = Object.keys(row);
        migrated
          .prepare(
            `INSERT INTO "${table}" (${names.map((name) => `"${name}"`).join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
          )
          .run(...Object.values(row));
      }
    }
    migrated.exec("COMMIT");
    migrated.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    current.close();
    migrated.close();
  }
}

export type SwapMethod = "renamed" | "replaced while in use" | "imported into LiteFS";

/**
 * Swaps in `from`, a closed and checkpointed database, atomically even across a crash. A file in
 * use is replaced in one SQLite transaction, which the site sees with its next read; otherwise
 * `from` is renamed.
 */
export async function swapIn(target: SwapTarget, from: string): Promise<SwapMethod> {
  if (sizeOf(`${from}-wal`) > 0)
    throw new AppError("conflict", `${from} is open in another program. Close it first.`);
  for (const suffix of ["-wal", "-shm"]) rmSync(from + suffix, { force: true });
  if (target.kind === "litefs") {
    await importDatabase({
      url: target.url,
      name: target.name,
      file: from,
      timeoutMs: IMPORT_TIMEOUT_MS,
    }).catch((error: Error) => {
      throw new AppError("unavailable", `LiteFS did not import the database: ${error.message}`);
    });
    return "imported into LiteFS";
  }
  if (existsSync(target.file) && isInUse(target.file)) {
    await replaceInUse(target.file, from);
    return "replaced while in use";
  }
  copyOwnership(from, target.file);
  // SQLite would replay a stale -wal into the new file.
  for (const suffix of ["-wal", "-shm"]) rmSync(target.file + suffix, { force: true });
  renameSync(from, target.file);
  const folder = openSync(dirname(target.file), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
  return "renamed";
}

const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

const BUSY_TIMEOUT_MS = 30_000;
const RETRY_MS = 5;

/**
 * Retries while the site writes. After 30 seconds, throws AppError(unavailable) with nothing
 * changed.
 */
async function replaceInUse(file: string, from: string): Promise<void> {
  const db = new Database(from, { readonly: true });
  try {
    const deadlineMs = performance.now() + BUSY_TIMEOUT_MS;
    for (;;) {
      // All pages in one step: a writer could intervene between two steps. While another connection
      // writes, backup() silently copies nothing.
      const { totalPages, remainingPages } = await db.backup(file, { progress: () => 2 ** 30 });
      if (totalPages > 0 && remainingPages === 0) return;
      if (performance.now() > deadlineMs)
        throw new AppError(
          "unavailable",
          `${file} is written to constantly. Stop this site for a moment, then run cutover again.`,
        );
      await sleep(RETRY_MS);
    }
  } finally {
    db.close();
    for (const suffix of ["-wal", "-shm"]) rmSync(from + suffix, { force: true });
  }
}

/**
 * Copies owner and mode of the replaced file to `from`. If no file is replaced, uses the
 * folder's owner and mode 0600.
 */
function copyOwnership(from: string, file: string): void {
  const model = statSync(file, { throwIfNoEntry: false }) ?? statSync(dirname(file));
  if (process.getuid?.() === 0) chownSync(from, model.uid, model.gid);
  chmodSync(from, model.isFile() ? model.mode & 0o777 : 0o600);
}
