// Persists a migration's state next to the target file, so that every command can resume it.

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { AppError } from "#lib/core/errors.ts";
import type { MigrationOptions } from "./options.ts";
import type { TableMapping } from "./table-mapping.ts";

const STATE_VERSION = 2;

export interface MigrationState {
  readonly version: typeof STATE_VERSION;
  /** Also stored in the staging database, so that another migration's is rejected. */
  readonly id: string;
  /**
   * Identifies the source without its address: the server's `system_identifier` and the database's
   * name.
   */
  readonly systemIdentifier: string;
  readonly database: string;
  /**
   * `stream`: logical replication; `full-resync`: repeated comparison, for a source that cannot
   * stream.
   */
  readonly mode: "stream" | "full-resync";
  /**
   * The last phase entered. `copying`: the staging database is incomplete. `cutover`: writes are
   * being blocked. `swapping`: both sides were equal, and the source is blocked. `done`: the target
   * is live.
   */
  readonly phase: "copying" | "copied" | "cutover" | "swapping" | "done";
  readonly options: MigrationOptions;
  /** The tables that the plan selected. */
  readonly tables: readonly TableMapping[];
  /** Created in the source. Null without streaming, and after cutover has dropped them. */
  readonly slot: string | null;
  readonly publication: string | null;
  /**
   * Saved before the database becomes read-only, so that abort works after a crash. `before` is its
   * previous setting.
   */
  readonly readOnly: { readonly before: string | null } | null;
  /** When the source stopped accepting writes; null while it accepts them. */
  readonly stoppedAtMs: number | null;
  /**
   * LSN up to which the finished file has all commits; null before the swap, and without a stream.
   */
  readonly position: string | null;
}

/** Returns the names of a migration's files. The target itself appears complete or not at all. */
export function migrationFiles(target: string): { staging: string; state: string; lock: string } {
  return {
    staging: `${target}.staging`,
    state: `${target}.migration.json`,
    lock: `${target}.migration.lock`,
  };
}

/**
 * Returns the state of the migration to `target`, or null. Throws AppError(conflict) if the file is
 * unreadable or has another version.
 */
export function findState(target: string): MigrationState | null {
  const { state: file } = migrationFiles(target);
  if (!existsSync(file)) return null;
  try {
    const state = JSON.parse(readFileSync(file, "utf8")) as MigrationState;
    if (state.version === STATE_VERSION) return state;
  } catch {
    // Unreadable: the same error as for another version.
  }
  throw new AppError(
    "conflict",
    `${file} is not a state file of version ${STATE_VERSION}. Finish that migration with the version that started it, or run abort.`,
  );
}

/** Like findState, but throws AppError(conflict) if there is no migration. */
export function getState(target: string): MigrationState {
  const state = findState(target);
  if (!state)
    throw new AppError("conflict", `Nothing has been copied to ${target} yet. Run copy first.`);
  return state;
}

export function createState(fields: Omit<MigrationState, "version">): MigrationState {
  return { version: STATE_VERSION, ...fields };
}

/** Syncs the state to disk and replaces the file atomically. */
export function saveState(target: string, state: MigrationState): void {
  const { state: file } = migrationFiles(target);
  const fd = openSync(`${file}.new`, "w", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(state, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
}

/** Returns whether a staging database, its lock or a state file exists. */
export function hasMigrationFiles(target: string): boolean {
  const { staging, state } = migrationFiles(target);
  return [staging, `${staging}-lock`, state].some((file) => existsSync(file));
}

/** Deletes the state and the staging database with SQLite's files next to it. */
export function deleteMigrationFiles(target: string): void {
  const { staging, state } = migrationFiles(target);
  for (const suffix of ["-wal", "-shm", "-journal", "-lock", ""])
    rmSync(staging + suffix, { force: true });
  // The state last: after a crash in between, abort still finds it.
  for (const suffix of [".new", ""]) rmSync(state + suffix, { force: true });
}
