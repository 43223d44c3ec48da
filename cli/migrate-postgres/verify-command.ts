// Compares source and copy at one snapshot, even while the source is written to.

import { refillKeylessTables, runFullResync } from "./full-resync.ts";
import {
  type Migration,
  applyStream,
  assertEqualToSource,
  assertSameSource,
  getCompleteCopy,
  runStep,
  withSnapshot,
} from "./migration.ts";
import { getState, migrationFiles } from "./migration-state.ts";
import { exportCurrentSnapshot } from "./replication-slot.ts";
import type { Verification } from "./verify-copy.ts";

/**
 * Exports a snapshot, applies changes exactly up to it, and compares. After the cutover it compares
 * the served file with the source's current state. Throws AppError(conflict) if they differ.
 */
export async function verifyMigration(migration: Migration): Promise<Verification> {
  const { url, targetFile, servedFile, signal } = migration;
  const savedState = getState(targetFile);
  if (savedState.phase === "done") {
    await assertSameSource(migration, savedState);
    return withSnapshot(url, null, (source) =>
      assertEqualToSource(migration, source, savedState, servedFile),
    );
  }
  const state = await getCompleteCopy(migration);
  const { staging } = migrationFiles(targetFile);
  if (state.mode === "full-resync") {
    await runFullResync({ url, file: staging, state, signal });
    return withSnapshot(url, null, (source) =>
      assertEqualToSource(migration, source, state, staging),
    );
  }
  const snapshot = await exportCurrentSnapshot(url, signal);
  try {
    return await withSnapshot(url, snapshot.name, async (source) => {
      await snapshot.release();
      await runStep(migration, "follow", () => applyStream(migration, state, snapshot.position));
      await refillKeylessTables({ source, file: staging, state, signal });
      return assertEqualToSource(migration, source, state, staging);
    });
  } finally {
    await snapshot.release().catch(() => {});
  }
}
