// The commands of a move that come before its end: copy, follow, verify. Each says what it does through `onEvent`.

import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import type { Sql } from "#lib/db/connection.ts";
import { copyTables } from "./copy-tables.ts";
import { replicateChanges } from "./replicate-changes.ts";
import { type MigrationOptions, SLOT_NAME } from "./table-mapping.ts";
import { runFullResync, refillKeylessTables } from "./full-resync.ts";
import { readSystemIdentifier } from "./plan-source.ts";
import { type Plan, assertResolved, createPlan } from "./plan.ts";
import { dropSlot, createSlotAndPublication, exportCurrentSnapshot } from "./replication-slot.ts";
import { connectSource, closeSource, readRows } from "./source-connection.ts";
import {
  type MigrationState,
  findState,
  deleteMigrationFiles,
  getState,
  migrationFiles,
  saveState,
} from "./migration-state.ts";
import { finishLoad, createStagingDatabase } from "./staging-database.ts";
import { type Verification, verifyCopy } from "./verify-copy.ts";

/** What a command is doing. Numbers are rows, bytes, milliseconds. */
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
  | { readonly kind: "pass"; readonly mended: number; readonly ms: number }
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
  | "stop writes"
  | "drain"
  | "finish"
  | "place"
  | "ready"
  | "clean up";

export interface Migration {
  /** The connection string; it is used and never told. */
  readonly url: string;
  /** The file that the move makes. */
  readonly targetFile: string;
  /** Where the site reads it: the same, or a file within LiteFS' mount. */
  readonly servedFile: string;
  readonly choices: MigrationOptions;
  /** Whether the new site knows the old one's cookies. */
  readonly hasLegacyCookieSecret: boolean;
  /** Makes the counters of reads anew (lib/reads). */
  readonly rebuildCounters: (sql: Sql) => unknown;
  readonly onEvent: (event: MigrationEvent) => void;
  /** Ends the command between two steps, or within one, with everything as a killed process would leave it. */
  readonly signal: AbortSignal;
}

/** Runs a step and says when it began and ended. */
export async function runStep<T>(
  { onEvent, signal }: Pick<Migration, "onEvent" | "signal">,
  name: MigrationStep,
  work: () => Promise<T> | T,
): Promise<T> {
  signal.throwIfAborted();
  onEvent({ kind: "begin", step: name });
  const startedMs = performance.now();
  const value = await work();
  onEvent({ kind: "end", step: name, ms: performance.now() - startedMs });
  return value;
}

/** What would move and what stands against it; writes nothing anywhere. */
export async function planMigration(move: Migration): Promise<Plan> {
  const client = await connectSource(move.url, { readOnly: true });
  try {
    return await createPlan(client, {
      to: move.targetFile,
      choices: move.choices,
      isOldCookieKnown: move.hasLegacyCookieSecret,
    });
  } finally {
    await closeSource(client);
  }
}

/**
 * Copies one state of the source into the working file, whole and verified, and leaves a slot that has kept what was written since.
 * A copy that was interrupted begins again. Throws AppError(conflict) where one is complete already, or where the plan is not decided.
 */
export async function copySource(move: Migration): Promise<MigrationState> {
  const { targetFile, url } = move;
  const before = findState(targetFile);
  if (before?.phase === "done")
    throw new AppError(
      "conflict",
      `The move to ${targetFile} is done already. abort forgets it, and then another can begin.`,
    );
  if (before && before.phase !== "copying" && !existsSync(migrationFiles(targetFile).working))
    throw new AppError(
      "conflict",
      `${migrationFiles(targetFile).working} is gone: abort, and copy again.`,
    );
  if (before && before.phase !== "copying")
    throw new AppError(
      "conflict",
      `${migrationFiles(targetFile).working} is a complete copy already. follow, cutover or verify go on with it; abort throws it away.`,
    );
  const planned = await runStep(move, "plan", () => planMigration(move));
  const { tables, choices } = assertResolved(planned);
  // Who copies without having looked at the plan is told all the same.
  for (const text of [
    ...planned.source.whyPasses,
    ...planned.findings.filter(({ level }) => level === "note").map((finding) => finding.text),
  ])
    move.onEvent({ kind: "note", text });
  if (before) {
    move.onEvent({
      kind: "note",
      text: "The copy that was interrupted begins again: the state of the source that it read is gone.",
    });
    if (before.slot) await dropSlot(url);
    deleteMigrationFiles(targetFile);
  }
  mkdirSync(dirname(targetFile), { recursive: true });
  const { mode, system, database } = planned.source;
  const name = mode === "stream" ? SLOT_NAME : null;
  // Before anything is made in the source: a crash in between leaves nothing that abort would not find.
  const state: MigrationState = {
    version: 1,
    id: randomUUID(),
    system,
    database,
    mode,
    phase: "copying",
    choices,
    tables,
    slot: name,
    publication: name,
    readOnly: null,
    stoppedAtMs: null,
    position: null,
    startedAtMs: Date.now(),
  };
  saveState(targetFile, state);

  const { working } = migrationFiles(targetFile);
  const slot =
    mode === "stream"
      ? await runStep(move, "slot", () => createSlotAndPublication(url, tables, move.signal))
      : null;
  let source: pg.Client | undefined;
  try {
    source = await openSnapshot(url, slot?.name ?? null);
    await slot?.release();
    const client = source;
    await createStagingDatabase(working, { id: state.id, tables });
    const totals = new Map(planned.tables.map(({ table, rows }) => [table.target, rows]));
    await runStep(move, "copy", () =>
      copyTables({
        source: client,
        tables,
        choices,
        file: working,
        signal: move.signal,
        onProgress: ({ table, rows }) =>
          move.onEvent({ kind: "rows", step: "copy", table, rows, total: totals.get(table) ?? 0 }),
      }),
    );
    await runStep(move, "indexes", () =>
      finishLoad(working, { rebuild: move.rebuildCounters, position: slot?.position ?? "" }),
    );
    await assertEqualToSource(move, client, state, working);
  } finally {
    await slot?.release().catch(() => {});
    await closeSource(source);
  }
  const copied: MigrationState = { ...state, phase: "copied" };
  saveState(targetFile, copied);
  return copied;
}

/** A connection within a transaction that reads one state: that of `snapshot`, or the present one. */
async function openSnapshot(url: string, snapshot: string | null): Promise<pg.Client> {
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

/** Compares `file` with what `source` sees. Throws AppError(conflict) where they differ; the event names the rows. */
export async function assertEqualToSource(
  move: Migration,
  source: pg.Client,
  state: MigrationState,
  file: string,
): Promise<Verification> {
  const verification = await runStep(move, "verify", () =>
    verifyCopy({
      source,
      tables: state.tables,
      file,
      signal: move.signal,
      onProgress: ({ table, rows, total }) =>
        move.onEvent({ kind: "rows", step: "verify", table, rows, total }),
    }),
  );
  move.onEvent({ kind: "verified", verification });
  const hint =
    state.mode === "passes" && state.phase === "copied"
      ? " This move goes by passes: what was written since the last one differs until the next. follow brings it over."
      : "";
  if (!verification.equal) throw new AppError("conflict", `The copy and the source differ.${hint}`);
  return verification;
}

/** Throws AppError(conflict) where `url` leads to another database than the one that the move began with. */
export async function assertSameSource(
  { url }: Pick<Migration, "url">,
  state: MigrationState,
): Promise<void> {
  const client = await connectSource(url, { readOnly: true });
  try {
    const [found] = await readRows<{ name: string }>(client, "SELECT current_database() AS name");
    if (found!.name !== state.database || (await readSystemIdentifier(client)) !== state.system)
      throw new AppError(
        "conflict",
        "--from: this is another database than the one that the move began with.",
      );
  } finally {
    await closeSource(client);
  }
}

/** The state of a complete copy of this source that can still follow it. Throws AppError(conflict) where there is none, or only an interrupted one. */
export async function getCompleteCopy(move: Migration): Promise<MigrationState> {
  const state = getState(move.targetFile);
  if (state.phase === "copying")
    throw new AppError("conflict", "The copy was interrupted: begin again with copy, or resume.");
  if (state.phase === "placing" || state.phase === "done")
    throw new AppError(
      "conflict",
      state.phase === "done"
        ? `The move to ${move.targetFile} is done.`
        : "The move is about to end: cutover or resume goes on with it.",
    );
  if (!existsSync(migrationFiles(move.targetFile).working))
    throw new AppError(
      "conflict",
      `${migrationFiles(move.targetFile).working} is gone: abort, and copy again.`,
    );
  await assertSameSource(move, state);
  return state;
}

/** How long is waited between two passes where the source can't stream. */
const RESYNC_INTERVAL_MS = 10_000;

/** Applies what was written in the source since the copy, until `signal`, or with `untilCaughtUp` until nothing is left at that moment. */
export async function keepReplicating(
  move: Migration,
  { untilCaughtUp = false }: { untilCaughtUp?: boolean } = {},
): Promise<void> {
  const state = await getCompleteCopy(move);
  const { working } = migrationFiles(move.targetFile);
  if (state.mode === "stream") {
    const until = untilCaughtUp ? await readCurrentPosition(move.url) : undefined;
    await runStep(move, "follow", () =>
      replicateChanges({
        url: move.url,
        file: working,
        state,
        until,
        signal: move.signal,
        onProgress: (progress) => move.onEvent({ kind: "lag", ...progress }),
      }),
    );
    return;
  }
  for (;;) {
    const startedMs = performance.now();
    const { mended } = await runFullResync({
      url: move.url,
      file: working,
      state,
      signal: move.signal,
    });
    move.onEvent({ kind: "pass", mended, ms: performance.now() - startedMs });
    if (untilCaughtUp || move.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, RESYNC_INTERVAL_MS);
      function done() {
        clearTimeout(timer);
        move.signal.removeEventListener("abort", done);
        resolve();
      }
      move.signal.addEventListener("abort", done);
    });
    if (move.signal.aborted) return;
  }
}

/** A place in the source's log behind everything that is committed, and on its disk: what follows it up to there comes to an end. */
export async function readCurrentPosition(url: string): Promise<string> {
  const client = await connectSource(url);
  try {
    const [{ at }] = (await readRows<{ at: string }>(
      client,
      "SELECT pg_current_wal_insert_lsn()::text AS at",
    )) as [{ at: string }];
    // A commit of our own, waited for, has all before it written: what nobody waited for (synchronous_commit off) would stay in memory for a while.
    await readRows(client, "SET synchronous_commit = 'local'");
    await readRows(client, "SELECT pg_logical_emit_message(true, 'lectern move', '')::text AS at");
    return at;
  } finally {
    await closeSource(client);
  }
}

/**
 * Compares source and copy at one and the same state, also while the source is written to: a snapshot is taken, the copy follows exactly up
 * to it, and then both are compared. After the cutover the placed file is compared with the source as it stands. Throws AppError(conflict) where they differ.
 */
export async function verifyMigration(move: Migration): Promise<Verification> {
  const begun = getState(move.targetFile);
  if (begun.phase === "done") {
    await assertSameSource(move, begun);
    return withSnapshot(move.url, null, (source) =>
      assertEqualToSource(move, source, begun, move.servedFile),
    );
  }
  const state = await getCompleteCopy(move);
  const { working } = migrationFiles(move.targetFile);
  if (state.mode === "passes") {
    await runFullResync({ url: move.url, file: working, state, signal: move.signal });
    return withSnapshot(move.url, null, (source) =>
      assertEqualToSource(move, source, state, working),
    );
  }
  const now = await exportCurrentSnapshot(move.url, move.signal);
  try {
    return await withSnapshot(move.url, now.name, async (source) => {
      await now.release();
      await runStep(move, "follow", () =>
        replicateChanges({
          url: move.url,
          file: working,
          state,
          until: now.position,
          signal: move.signal,
          onProgress: (progress) => move.onEvent({ kind: "lag", ...progress }),
        }),
      );
      await refillKeylessTables({ source, file: working, state });
      return assertEqualToSource(move, source, state, working);
    });
  } finally {
    await now.release().catch(() => {});
  }
}

/** Runs `work` on a connection that sees the state of `snapshot` (null: the present one) all the time. */
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
