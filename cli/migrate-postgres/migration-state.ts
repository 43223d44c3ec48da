// What a move has done so far: kept beside the file it makes, so that every command can go on from it.

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
import type { MigrationOptions, TableMapping } from "./table-mapping.ts";

export interface MigrationState {
  readonly version: 1;
  /** Stands in the working file, too: one that belongs to another move is not gone on with. */
  readonly id: string;
  /** The source, without saying where it is: `system_identifier` of the server and the database's name. */
  readonly system: string;
  readonly database: string;
  /** `stream`: logical replication; `passes`: comparing again and again, where the source can't stream. */
  readonly mode: "stream" | "passes";
  /** The last thing that was completed or begun. `copying`: the working file is worth nothing yet. `cutover`: writers are or were being stopped. `placing`: both sides were equal, and the source writes no more. `done`: the target serves. */
  readonly phase: "copying" | "copied" | "cutover" | "placing" | "done";
  readonly choices: MigrationOptions;
  /** What moves, as the plan found it. */
  readonly tables: readonly TableMapping[];
  /** In the source; what was made there and is undone by abort. */
  readonly slot: string | null;
  readonly publication: string | null;
  /** Set before it is done, so that a crash in between is undone, too. `before` is what the database's own setting was. */
  readonly readOnly: { readonly before: string | null } | null;
  /** When the source could not be written to any more; null while it can. */
  readonly stoppedAtMs: number | null;
  /** In the source's log: what was committed before is in the file that is placed; null before that, and where nothing is streamed. */
  readonly position: string | null;
  readonly startedAtMs: number;
}

/** The names of a move's files. `to` itself appears complete or not at all. */
export function migrationFiles(to: string): { working: string; state: string; lock: string } {
  return { working: `${to}.moving`, state: `${to}.move.json`, lock: `${to}.move.lock` };
}

/** The move to `to` that was begun, or null. Throws AppError(conflict) for a state that this version can't read. */
export function findState(to: string): MigrationState | null {
  const { state } = migrationFiles(to);
  if (!existsSync(state)) return null;
  try {
    const found = JSON.parse(readFileSync(state, "utf8")) as MigrationState;
    if (found.version === 1) return found;
  } catch {
    // said below
  }
  throw new AppError(
    "conflict",
    `${state} is not one of this version's: end that move with the version that began it, or with abort.`,
  );
}

/** Like findState, but throws AppError(conflict) where no move was begun. */
export function getState(to: string): MigrationState {
  const state = findState(to);
  if (!state) throw new AppError("conflict", `Nothing was copied to ${to} yet: begin with copy.`);
  return state;
}

/** Writes it so that a crash leaves the old or the new one, on the disk when it returns. */
export function saveState(to: string, state: MigrationState): void {
  const file = migrationFiles(to).state;
  const fd = openSync(`${file}.new`, "w", 0o600);
  try {
    writeSync(fd, `${JSON.stringify(state, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
}

/** Whether anything of a move to `to` is there. */
export function hasMigrationFiles(to: string): boolean {
  const { working, state } = migrationFiles(to);
  return [working, `${working}-lock`, state].some((file) => existsSync(file));
}

/** Forgets the move: its state, and the working file with what SQLite has beside it. */
export function deleteMigrationFiles(to: string): void {
  const { working, state } = migrationFiles(to);
  for (const file of [
    `${working}-wal`,
    `${working}-shm`,
    `${working}-journal`,
    `${working}-lock`,
    working,
    `${state}.new`,
    state,
  ])
    rmSync(file, { force: true });
}
