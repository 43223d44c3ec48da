// Defines a migration, its events, and the steps that its commands share.

import { existsSync } from "node:fs";
import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import type { Sql } from "#lib/db/connection.ts";
import { type MigrationState, getState, migrationFiles } from "./migration-state.ts";
import type { MigrationOptions } from "./options.ts";
import { readSystemIdentifier } from "./plan-source.ts";
import { type Plan, createPlan } from "./plan.ts";
import { replicateChanges } from "./replicate-changes.ts";
import { closeSource, connectSource, readRows } from "./source-connection.ts";
import { type Verification, verifyCopy } from "./verify-copy.ts";

/** Progress of a command. Units are in the names; other numbers count rows. */
export type MigrationEvent =
  | {
      readonly kind: "begin" | "end";
      readonly step: MigrationStep;
      readonly ms?: number;
      readonly note?: string;
    }
  | {
      readonly kind: "rows";
      readonly step: "copy" | "verify";
      readonly table: string;
      readonly rows: number;
      readonly total: number;
    }
  | {
      readonly kind: "lag";
      readonly lagBytes: number;
      readonly lagSeconds: number;
      readonly changes: number;
      readonly waiting?: string;
    }
  | { readonly kind: "resync"; readonly repaired: number; readonly ms: number }
  | { readonly kind: "verified"; readonly verification: Verification }
  | { readonly kind: "note"; readonly text: string };

export type MigrationStep =
  | "plan"
  | "slot"
  | "copy"
  | "indexes"
  | "verify"
  | "follow"
  | "check"
  | "block-writes"
  | "drain"
  | "finish"
  | "swap-in"
  | "ready"
  | "clean-up";

export interface Migration {
  /** The source's connection string. A secret: must not appear in events or errors. */
  readonly url: string;
  /** The file to create. */
  readonly targetFile: string;
  /** The file that the site reads: the same one, or one in the LiteFS mount. */
  readonly servedFile: string;
  readonly options: MigrationOptions;
  /** Whether this site accepts the source site's cookies. */
  readonly hasLegacyCookieSecret: boolean;
  /** Rebuilds the read counters (lib/reading/rebuild-counters.sql.ts). */
  readonly rebuildCounters: (sql: Sql) => unknown;
  readonly onEvent: (event: MigrationEvent) => void;
  /** Stops the command between or within steps, like a crash. */
  readonly signal: AbortSignal;
}

/** Runs a step and emits its begin and end. Throws if the signal is aborted. */
export async function runStep<T>(
  { onEvent, signal }: Pick<Migration, "onEvent" | "signal">,
  step: MigrationStep,
  work: () => Promise<T> | T,
): Promise<T> {
  signal.throwIfAborted();
  onEvent({ kind: "begin", step });
  const startedMs = performance.now();
  const value = await work();
  onEvent({ kind: "end", step, ms: performance.now() - startedMs });
  return value;
}

/** Plans the migration. Changes nothing. */
export async function planMigration(migration: Migration): Promise<Plan> {
  const client = await connectSource(migration.url, { readOnly: true });
  try {
    return await createPlan(client, {
      targetFile: migration.targetFile,
      options: migration.options,
      hasLegacyCookieSecret: migration.hasLegacyCookieSecret,
    });
  } finally {
    await closeSource(client);
  }
}

/**
 * Opens a connection whose transaction sees the exported `snapshot`, or the current state for null.
 */
export async function openSnapshot(url: string, snapshot: string | null): Promise<pg.Client> {
  const client = await connectSource(url, { readOnly: true });
  try {
    await readRows(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (snapshot !== null)
      await readRows(client, `SET TRANSACTION SNAPSHOT '${snapshot.replaceAll("'", "''")}'`);
    return client;
  } catch (error) {
    await closeSource(client);
    throw error;
  }
}

/** Runs `work` with a connection from openSnapshot. */
export async function withSnapshot<T>(
  url: string,
  snapshot: string | null,
  work: (source: pg.Client) => Promise<T>,
): Promise<T> {
  const source = await openSnapshot(url, snapshot);
  try {
    return await work(source);
  } finally {
    await closeSource(source);
  }
}

/**
 * Compares `file` with what `source` sees. Throws AppError(conflict) if they differ; the event
 * names the rows.
 */
export async function assertEqualToSource(
  migration: Migration,
  source: pg.Client,
  state: MigrationState,
  file: string,
): Promise<Verification> {
  const verification = await runStep(migration, "verify", () =>
    verifyCopy({
      source,
      tables: state.tables,
      file,
      signal: migration.signal,
      onProgress: ({ table, rows, total }) =>
        migration.onEvent({ kind: "rows", step: "verify", table, rows, total }),
    }),
  );
  migration.onEvent({ kind: "verified", verification });
  const hint =
    state.mode === "full-resync" && state.phase === "copied"
      ? " Without a stream, rows written since the last resync differ. Run follow, then verify again."
      : "";
  if (!verification.isEqual)
    throw new AppError("conflict", `The copy and the source differ.${hint}`);
  return verification;
}

/** Throws AppError(conflict) if `url` is not the database that the migration started with. */
export async function assertSameSource(
  { url }: Pick<Migration, "url">,
  state: MigrationState,
): Promise<void> {
  const client = await connectSource(url, { readOnly: true });
  try {
    const [row] = await readRows<{ name: string }>(client, "SELECT current_database() AS name");
    if (
      row!.name !== state.database ||
      (await readSystemIdentifier(client)) !== state.systemIdentifier
    )
      throw new AppError(
        "conflict",
        "--from: this is not the database that the migration started with.",
      );
  } finally {
    await closeSource(client);
  }
}

/** Throws AppError(conflict) if the staging database is missing. */
export function assertStagingExists(targetFile: string): void {
  const { staging } = migrationFiles(targetFile);
  if (!existsSync(staging))
    throw new AppError("conflict", `${staging} is missing. Abort, then copy again.`);
}

/**
 * Returns the state of a complete copy of this source that can still be updated. Throws
 * AppError(conflict) if it doesn't exist.
 */
export async function getCompleteCopy(migration: Migration): Promise<MigrationState> {
  const state = getState(migration.targetFile);
  if (state.phase === "copying")
    throw new AppError("conflict", "The copy was interrupted. Run copy or resume.");
  if (state.phase === "done")
    throw new AppError("conflict", `The migration to ${migration.targetFile} is done.`);
  if (state.phase === "swapping")
    throw new AppError("conflict", "The cutover has started. Run cutover or resume to finish it.");
  assertStagingExists(migration.targetFile);
  await assertSameSource(migration, state);
  return state;
}

/**
 * Applies streamed changes to the staging database up to the LSN `until`, or until the signal
 * aborts. Returns how many rows changed.
 */
export async function applyStream(
  migration: Migration,
  state: MigrationState,
  until?: string,
): Promise<number> {
  const { changes } = await replicateChanges({
    url: migration.url,
    file: migrationFiles(migration.targetFile).staging,
    state,
    until,
    signal: migration.signal,
    onProgress: (progress) => migration.onEvent({ kind: "lag", ...progress }),
  });
  return changes;
}
