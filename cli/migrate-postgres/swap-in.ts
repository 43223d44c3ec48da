// Puts the finished file where the site reads it: by renaming it, through SQLite where the site is running on the old one, or through LiteFS.

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
import { importDatabase } from "#lib/replication/import-database.ts";
import { fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";

/** Where the moved database is to serve. */
export type SwapTarget =
  | { readonly kind: "file"; readonly file: string }
  /** On the primary of a cluster: the database `name` of the LiteFS at `url`; `mounted` is its file. */
  | {
      readonly kind: "litefs";
      readonly url: string;
      readonly name: string;
      readonly mounted: string;
    };

/** The file that the site reads. */
export function servedFileOf(place: SwapTarget): string {
  return place.kind === "file" ? place.file : place.mounted;
}

const IMPORT_TIMEOUT_MS = 600_000;

/** Tables whose rows say what is live and not who wrote what: they stay as they are where the file is replaced. */
const CARRIED_OVER_TABLES = ["ContentVersion"];

export interface TargetState {
  /** Rows of User there; null where there is no database. */
  readonly members: number | null;
  readonly reads: number;
  /** Whether another process has it open now. */
  readonly isInUse: boolean;
}

/** What is there now. Throws AppError(conflict) where nothing may be put: on a replica, and over a file that is no database of this site. */
export async function inspectTarget(place: SwapTarget): Promise<TargetState> {
  const file = servedFileOf(place);
  if (place.kind === "litefs") {
    const state = await fetchLitefsNodeState(place.url, place.name).catch((error: Error) => {
      throw new AppError("unavailable", `LiteFS at ${place.url} does not answer: ${error.message}`);
    });
    if (!state.isPrimary)
      throw new AppError(
        "conflict",
        "This machine is not the primary: run it there (see /admin/cluster).",
      );
  }
  if (!existsSync(file)) return { members: null, reads: 0, isInUse: false };
  const db = new Database(file, { readonly: true, timeout: 2_000 });
  try {
    if (db.pragma("page_size", { simple: true }) !== 4096)
      throw new AppError(
        "conflict",
        `${file} has pages of another size than 4096 bytes (trap 15): it can't be replaced while it is used.`,
      );
    const count = (table: string) =>
      (db.prepare(`SELECT count(*) AS n FROM "${table}"`).get() as { n: number }).n;
    const found = { members: count("User"), reads: count("PostRead") };
    db.close();
    return { ...found, isInUse: place.kind === "litefs" || isInUse(file) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      "conflict",
      `${file} is there and is no database of this site: ${(error as Error).message}`,
    );
  } finally {
    db.close();
  }
}

/** A connection in WAL mode holds a shared lock as long as it is open: nobody else then gets the exclusive one. */
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

/** Keeps what is there now as `aside`, whole; it may be in use meanwhile. Returns false where nothing is there. */
export function backupTarget(place: SwapTarget, aside: string): boolean {
  const file = servedFileOf(place);
  if (!existsSync(file)) return false;
  const db = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    rmSync(`${aside}.new`, { force: true });
    closeSync(openSync(`${aside}.new`, "wx", 0o600));
    db.prepare("VACUUM INTO ?").run(`${aside}.new`);
  } finally {
    db.close();
  }
  // As LiteFS takes it back: VACUUM writes it in the other mode.
  const kept = new Database(`${aside}.new`);
  try {
    kept.pragma("journal_mode = WAL");
  } finally {
    kept.close();
  }
  renameSync(`${aside}.new`, aside);
  return true;
}

/** Takes over into `from` (a moved file that is not placed yet) what says which content is live here. */
export function carryOverSettings(place: SwapTarget, from: string): void {
  const file = servedFileOf(place);
  if (!existsSync(file)) return;
  const here = new Database(file, { readonly: true, timeout: 5_000 });
  const moved = new Database(from);
  try {
    for (const table of CARRIED_OVER_TABLES) {
      if (here.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table) === undefined)
        continue;
      for (const row of here.prepare(`SELECT * FROM "${table}"`).all() as Record<
        string,
        unknown
      >[]) {
        const names = Object.keys(row);
        moved
          .prepare(
            `INSERT OR REPLACE INTO "${table}" (${names.map((name) => `"${name}"`).join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
          )
          .run(...Object.values(row));
      }
    }
    moved.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    here.close();
    moved.close();
  }
}

/**
 * Puts `from`, a closed and checkpointed database, in place: the whole of it at once, whatever dies meanwhile. A file that a site has open is
 * replaced within SQLite, in one transaction that the site's next read sees; one that nobody has open, or that is not there, by renaming.
 * `from` is gone afterwards where it was renamed. Returns how it was done.
 */
export async function swapIn(
  place: SwapTarget,
  from: string,
): Promise<"renamed" | "replaced while in use" | "imported into LiteFS"> {
  if (sizeOf(`${from}-wal`) > 0)
    throw new AppError("conflict", `${from} is open in another program: close it first.`);
  for (const suffix of ["-wal", "-shm"]) rmSync(from + suffix, { force: true });
  if (place.kind === "litefs") {
    await importDatabase({
      url: place.url,
      name: place.name,
      file: from,
      timeoutMs: IMPORT_TIMEOUT_MS,
    });
    return "imported into LiteFS";
  }
  if (existsSync(place.file) && isInUse(place.file)) {
    await replaceInUse(place.file, from);
    return "replaced while in use";
  }
  copyOwnership(from, place.file);
  // What stands in a -wal beside a file would be read into whatever file bears its name.
  for (const suffix of ["-wal", "-shm"]) rmSync(place.file + suffix, { force: true });
  renameSync(from, place.file);
  const folder = openSync(dirname(place.file), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
  return "renamed";
}

const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** How long a site that writes is waited for. */
const BUSY_TIMEOUT_MS = 30_000;
const RETRY_MS = 5;

/** Throws AppError(unavailable) where the site writes without a pause for half a minute; nothing has changed then. */
async function replaceInUse(file: string, from: string): Promise<void> {
  const db = new Database(from, { readonly: true });
  try {
    const untilMs = performance.now() + BUSY_TIMEOUT_MS;
    for (;;) {
      // All pages at a time: between two steps a writer of the site could come in. Where one is at it right now nothing is copied, and nothing is said.
      const { totalPages, remainingPages } = await db.backup(file, { progress: () => 2 ** 30 });
      if (totalPages > 0 && remainingPages === 0) return;
      if (performance.now() > untilMs)
        throw new AppError(
          "unavailable",
          `${file} is being written to all the time: stop the new site for a moment, and cut over again.`,
        );
      await sleep(RETRY_MS);
    }
  } finally {
    db.close();
    for (const suffix of ["-wal", "-shm"]) rmSync(from + suffix, { force: true });
  }
}

/** Gives `from` the owner and the rights of the file that it replaces; where there is none the folder's owner, who alone may read it. */
function copyOwnership(from: string, file: string): void {
  const like = statSync(file, { throwIfNoEntry: false }) ?? statSync(dirname(file));
  if (process.getuid?.() === 0) chownSync(from, like.uid, like.gid);
  chmodSync(from, like.isFile() ? like.mode & 0o777 : 0o600);
}
