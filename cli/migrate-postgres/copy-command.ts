// Copies one snapshot of the source into a complete, verified staging database.

import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import { copyTables } from "./copy-tables.ts";
import {
  type Migration,
  assertEqualToSource,
  assertSameSource,
  assertStagingExists,
  openSnapshot,
  planMigration,
  runStep,
} from "./migration.ts";
import {
  type MigrationState,
  createState,
  deleteMigrationFiles,
  findState,
  migrationFiles,
  saveState,
} from "./migration-state.ts";
import { type Plan, assertResolved } from "./plan.ts";
import {
  type ExportedSnapshot,
  SLOT_NAME,
  createSlotAndPublication,
  dropSlot,
} from "./replication-slot.ts";
import { closeSource } from "./source-connection.ts";
import { createStagingDatabase, finishLoad } from "./staging-database.ts";

/**
 * Copies the source and leaves a replication slot that retains later changes. An interrupted copy
 * starts over. Throws AppError(conflict) if a copy is already complete, or if the plan is
 * unresolved.
 */
export async function copySource(migration: Migration): Promise<MigrationState> {
  const { targetFile, url } = migration;
  const interrupted = findState(targetFile);
  if (interrupted) {
    assertRestartable(interrupted, targetFile);
    // Otherwise the other server's slot would be forgotten, and fill that server's disk.
    await assertSameSource(migration, interrupted);
  }
  const plan = await runStep(migration, "plan", () => planMigration(migration));
  const { tables, options } = assertResolved(plan);
  // For owners who run copy without running plan first.
  for (const text of [
    ...plan.source.streamObstacles,
    ...plan.issues.filter(({ level }) => level === "note").map((issue) => issue.text),
  ])
    migration.onEvent({ kind: "note", text });
  if (interrupted) {
    migration.onEvent({
      kind: "note",
      text: "The interrupted copy starts over: its snapshot no longer exists.",
    });
    if (interrupted.slot) await dropSlot(url);
    deleteMigrationFiles(targetFile);
  }
  mkdirSync(dirname(targetFile), { recursive: true });
  const { mode, systemIdentifier, database } = plan.source;
  const slotName = mode === "stream" ? SLOT_NAME : null;
  // Saved before anything exists in the source, so that abort finds it after a crash.
  const state = createState({
    id: randomUUID(),
    systemIdentifier,
    database,
    mode,
    phase: "copying",
    options,
    tables,
    slot: slotName,
    publication: slotName,
    readOnly: null,
    stoppedAtMs: null,
    position: null,
  });
  saveState(targetFile, state);
  const slot =
    mode === "stream"
      ? await runStep(migration, "slot", () =>
          createSlotAndPublication(url, tables, migration.signal),
        )
      : null;
  await fillStagingDatabase(migration, state, plan, slot);
  const copied: MigrationState = { ...state, phase: "copied" };
  saveState(targetFile, copied);
  return copied;
}

function assertRestartable({ phase }: MigrationState, targetFile: string): void {
  if (phase === "copying") return;
  if (phase === "done")
    throw new AppError(
      "conflict",
      `The migration to ${targetFile} is done. To start another, run abort first: it deletes the state.`,
    );
  assertStagingExists(targetFile);
  throw new AppError(
    "conflict",
    `${migrationFiles(targetFile).staging} is already a complete copy. Run follow, verify or cutover; abort deletes it.`,
  );
}

async function fillStagingDatabase(
  migration: Migration,
  state: MigrationState,
  plan: Plan,
  slot: ExportedSnapshot | null,
): Promise<void> {
  const { id, tables, options } = state;
  const { staging } = migrationFiles(migration.targetFile);
  let source: pg.Client | undefined;
  try {
    const client = await openSnapshot(migration.url, slot?.name ?? null);
    source = client;
    await slot?.release();
    await createStagingDatabase(staging, { id, tables });
    const totals = new Map(plan.tables.map(({ table, rows }) => [table.target, rows]));
    await runStep(migration, "copy", () =>
      copyTables({
        source: client,
        tables,
        options,
        file: staging,
        signal: migration.signal,
        onProgress: ({ table, rows }) =>
          migration.onEvent({
            kind: "rows",
            step: "copy",
            table,
            rows,
            total: totals.get(table) ?? 0,
          }),
      }),
    );
    await runStep(migration, "indexes", () =>
      finishLoad(staging, {
        rebuildCounters: migration.rebuildCounters,
        position: slot?.position ?? "",
      }),
    );
    await assertEqualToSource(migration, client, state, staging);
  } finally {
    await slot?.release().catch(() => {});
    await closeSource(source);
  }
}
