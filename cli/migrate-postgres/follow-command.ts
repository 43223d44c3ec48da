// Keeps the staging database up to date with the source, by streaming replication or repeated
// resyncs.

import { setTimeout as sleep } from "node:timers/promises";
import { isAppError } from "#lib/core/errors.ts";
import { runFullResync } from "./full-resync.ts";
import { type Migration, applyStream, getCompleteCopy, runStep } from "./migration.ts";
import { migrationFiles } from "./migration-state.ts";
import { OUTAGE_TIMEOUT_MS } from "./replicate-changes.ts";
import { readCurrentPosition } from "./replication-slot.ts";

/** The pause between two resyncs of a source that cannot stream. */
const RESYNC_INTERVAL_MS = 10_000;

/**
 * Applies changes until the signal aborts or, with `untilCaughtUp`, until everything committed by
 * now is applied.
 */
export async function keepReplicating(
  migration: Migration,
  { untilCaughtUp = false }: { untilCaughtUp?: boolean } = {},
): Promise<void> {
  const { url, signal } = migration;
  const state = await getCompleteCopy(migration);
  if (state.mode === "stream") {
    const until = untilCaughtUp ? await readCurrentPosition(url) : undefined;
    await runStep(migration, "follow", () => applyStream(migration, state, until));
    return;
  }
  const { staging } = migrationFiles(migration.targetFile);
  /**
   * When the first resync since the last success failed. Counting from that success would include
   * the resync itself, which can take longer than OUTAGE_TIMEOUT_MS.
   */
  let failingSinceMs: number | null = null;
  do {
    const startedMs = performance.now();
    try {
      const { repaired } = await runFullResync({ url, file: staging, state, signal });
      failingSinceMs = null;
      migration.onEvent({ kind: "resync", repaired, ms: performance.now() - startedMs });
    } catch (error) {
      if (signal.aborted) return;
      failingSinceMs ??= performance.now();
      const isTooLong = performance.now() - failingSinceMs > OUTAGE_TIMEOUT_MS;
      if (!isAppError(error, "unavailable") || untilCaughtUp || isTooLong) throw error;
      migration.onEvent({
        kind: "lag",
        lagBytes: 0,
        lagSeconds: 0,
        changes: 0,
        waiting: error.message,
      });
    }
    if (untilCaughtUp) return;
    await sleep(RESYNC_INTERVAL_MS, undefined, { signal }).catch(() => {});
  } while (!signal.aborted);
}
