// Ends a migration: blocks the source's writes, applies the last changes, verifies, and swaps the
// database in.

import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "#lib/core/errors.ts";
import { requestInternal } from "#lib/core/internal-request.ts";
import {
  allowWrites,
  assertCanTerminate,
  blockWrites,
  findReadOnlySetting,
  terminateOlder,
  waitForNoSessions,
} from "./block-writes.ts";
import { copySource } from "./copy-command.ts";
import { refillKeylessTables, runFullResync } from "./full-resync.ts";
import {
  type Migration,
  applyStream,
  assertEqualToSource,
  assertSameSource,
  assertStagingExists,
  getCompleteCopy,
  runStep,
  withSnapshot,
} from "./migration.ts";
import { type MigrationState, findState, migrationFiles, saveState } from "./migration-state.ts";
import { assertNothingAdded } from "./plan.ts";
import {
  SLOT_NAME,
  countPendingTransactions,
  dropSlot,
  hasSlot,
  readCurrentPosition,
} from "./replication-slot.ts";
import { withSource } from "./source-connection.ts";
import {
  assertIntact,
  finishStagingDatabase,
  isMigratedFile,
  isStagingFinished,
  readPosition,
} from "./staging-database.ts";
import {
  type SwapMethod,
  type SwapTarget,
  assertSameMigrations,
  backupTarget,
  carryOverSettings,
  countTargetMembers,
  servedFileOf,
  swapIn,
} from "./swap-in.ts";

export interface CutoverOptions {
  readonly target: SwapTarget;
  /** Allows replacing a database that has members; a backup is kept. */
  readonly canReplace: boolean;
  /**
   * `read-only`: this command makes the database read-only. `stopped-by-owner`: the owner stops the
   * source site.
   */
  readonly stopMode: "read-only" | "stopped-by-owner";
  /** The site to wait for; null to skip the wait. */
  readonly siteUrl: string | null;
  /** Timeout of each wait for the owner or the site. */
  readonly timeoutMs: number;
}

export interface CutoverResult {
  readonly method: SwapMethod;
  /** Time from the source's last possible write until this site was ready. */
  readonly pauseMs: number;
  readonly isReady: boolean;
  /** The backup of the replaced database; null if there was no database. */
  readonly backupFile: string | null;
}

/** A round this short leaves little to do during the pause. */
const SHORT_ROUND_MS = 500;
const MAX_ROUNDS = 20;
/** How many times late writes are applied and verified again. */
const MAX_LATE_ROUNDS = 2;
const READY_POLL_MS = 50;

/**
 * Cuts over, and copies first if needed. If a step before the swap fails, the source can write
 * again and the copy stays usable. Safe to run again after a crash at any point (idempotent).
 * Throws AppError(conflict) if the sides differ, if members would be overwritten, or if the source
 * is still written to.
 */
export async function cutOver(
  migration: Migration,
  options: CutoverOptions,
): Promise<CutoverResult> {
  const { url, targetFile } = migration;
  const savedState = findState(targetFile);
  if (savedState?.phase === "done")
    throw new AppError(
      "conflict",
      `The migration to ${targetFile} is done. verify compares once more; abort lets the source site write again.`,
    );
  if (savedState?.phase === "swapping") return resumeCutover(migration, options, savedState);
  assertReplaceable(await countTargetMembers(options.target), options);
  if (!savedState || savedState.phase === "copying") await copySource(migration);
  const state = await getCompleteCopy(migration);
  const { staging } = migrationFiles(targetFile);
  assertSameMigrations(options.target, staging);
  await withSource(url, (client) => assertNothingAdded(client, state));
  // An earlier attempt may have left the source read-only, and abort must know that.
  const readOnly =
    state.readOnly ??
    (options.stopMode === "stopped-by-owner" ? null : { before: await findReadOnlySetting(url) });
  if (readOnly) await assertCanTerminate(url);
  // Do the slow work before the pause in writes: the copy may be hours behind.
  await runStep(migration, "check", () => assertIntact(staging));
  await runStep(migration, "follow", async () => {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const startedMs = performance.now();
      await catchUpWithSource(migration, state);
      if (performance.now() - startedMs < SHORT_ROUND_MS || state.mode === "full-resync") return;
    }
  });
  const siteUrl = await findReachableSite(migration, options.siteUrl);
  const stopped = await drainSource(migration, options, { ...state, readOnly });
  const swapping: MigrationState = {
    ...stopped,
    phase: "swapping",
    position: state.slot === null ? null : readPosition(staging),
  };
  saveState(targetFile, swapping);
  return finishCutover(migration, { ...options, siteUrl }, swapping);
}

/**
 * Blocks writes, then applies and verifies the last changes. Allows writes again if that fails.
 * Returns the saved state.
 */
async function drainSource(
  migration: Migration,
  options: CutoverOptions,
  state: MigrationState,
): Promise<MigrationState> {
  const { url, targetFile, signal } = migration;
  let stopped: MigrationState | null = null;
  try {
    const blockedAt = await runStep(migration, "block-writes", async () => {
      if (!state.readOnly) await waitForNoSessions(url, options.timeoutMs, signal);
      stopped = { ...state, phase: "cutover", stoppedAtMs: state.stoppedAtMs ?? Date.now() };
      // Saved before writes are blocked, so that abort can undo the block after a crash.
      saveState(targetFile, stopped);
      return state.readOnly ? (await blockWrites(url)).blockedAt : null;
    });
    await runStep(migration, "drain", () => catchUpWithSource(migration, state));
    for (let round = 0; ; round += 1) {
      await compareWithCurrentSource(migration, state);
      // A session that connected before the block may become visible only now, after it has
      // written.
      const lateSessions = blockedAt === null ? 0 : await terminateOlder(url, blockedAt);
      const changes = await catchUpWithSource({ ...migration, onEvent: () => {} }, state);
      if (lateSessions === 0 && changes === 0) return stopped!;
      if (round === MAX_LATE_ROUNDS)
        throw new AppError(
          "conflict",
          "The source database still receives writes: a role or a session overrides the read-only setting. Stop it, then run cutover again.",
        );
    }
  } catch (error) {
    if (stopped) await allowWritesAfterFailure(migration, stopped);
    throw error;
  }
}

/** Compares with the source's current state, which is final because writes are blocked. */
async function compareWithCurrentSource(
  migration: Migration,
  state: MigrationState,
): Promise<void> {
  const { staging } = migrationFiles(migration.targetFile);
  await withSnapshot(migration.url, null, async (source) => {
    // Again, because a deploy of the source site may have added some since the first check.
    await assertNothingAdded(source, state);
    if (!isStagingFinished(staging))
      await refillKeylessTables({ source, file: staging, state, signal: migration.signal });
    await assertEqualToSource(migration, source, state, staging);
  });
}

/**
 * Resumes after a crash during the swap. Checks everything again, since the source may have been
 * written to in the meantime.
 */
async function resumeCutover(
  migration: Migration,
  options: CutoverOptions,
  state: MigrationState,
): Promise<CutoverResult> {
  const { url, targetFile, signal } = migration;
  await assertSameSource(migration, state);
  if (isMigratedFile(servedFileOf(options.target), state.id))
    return finishCutover(migration, options, state);
  // Again, because readers may have signed up here since the last attempt.
  assertReplaceable(await countTargetMembers(options.target), options);
  assertStagingExists(targetFile);
  assertSameMigrations(options.target, migrationFiles(targetFile).staging);
  await runStep(migration, "block-writes", async () => {
    if (state.readOnly) await blockWrites(url);
    else await waitForNoSessions(url, options.timeoutMs, signal);
  });
  if (state.slot && (await countPendingTransactions(url, state.position!)) > 0)
    throw new AppError(
      "conflict",
      "The source site was written to after its writes were blocked. Abort, then start over: those writes are safe in the source.",
    );
  await runStep(migration, "check", () => assertIntact(migrationFiles(targetFile).staging));
  await compareWithCurrentSource(migration, state);
  return finishCutover(migration, options, state);
}

/**
 * Allows writes after a failed cutover. If that fails too, the saved state lets abort or the next
 * cutover do it.
 */
async function allowWritesAfterFailure(migration: Migration, state: MigrationState): Promise<void> {
  try {
    if (state.readOnly) await allowWrites(migration.url, state.readOnly.before);
  } catch {
    migration.onEvent({
      kind: "note",
      text: "The source site may still be read-only, because its database could not be changed. Run abort to allow writes.",
    });
    return;
  }
  saveState(migration.targetFile, {
    ...state,
    phase: "copied",
    readOnly: null,
    stoppedAtMs: null,
  });
  if (state.readOnly) migration.onEvent({ kind: "note", text: "The source site can write again." });
}

/** Swaps the verified database in, waits for the site, and cleans up. Idempotent after a crash. */
async function finishCutover(
  migration: Migration,
  options: CutoverOptions,
  state: MigrationState,
): Promise<CutoverResult> {
  const { targetFile, signal } = migration;
  const { staging } = migrationFiles(targetFile);
  const backupFile = `${targetFile}.backup-${state.id.slice(0, 8)}`;
  const servedFile = servedFileOf(options.target);
  let method: SwapMethod = "renamed";
  // After a crash, the file may already be in place, and the site may have written to it.
  if (!isMigratedFile(servedFile, state.id)) {
    try {
      await runStep(migration, "finish", () => {
        finishStagingDatabase(staging, state.id);
        // Replaces the backup of an earlier attempt: the site may have written since.
        backupTarget(options.target, backupFile);
        // Last, because readers may subscribe and unsubscribe on the new site until the swap.
        carryOverSettings(options.target, staging);
      });
      method = await runStep(migration, "swap-in", () => swapIn(options.target, staging));
      if (!isMigratedFile(servedFile, state.id))
        throw new AppError("unavailable", `${servedFile} is not the migrated database.`);
    } catch (error) {
      migration.onEvent({
        kind: "note",
        text: `Both sides are equal, but the new database is not in place yet.${state.readOnly ? " The source site cannot write." : ""} Run cutover to try again, or abort to cancel${state.readOnly ? " and let the source site write again" : ""}.`,
      });
      throw error;
    }
  }
  const done: MigrationState = { ...state, phase: "done" };
  saveState(targetFile, done);
  for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(staging + suffix, { force: true });
  const { siteUrl } = options;
  const isReady =
    siteUrl !== null &&
    (await runStep(migration, "ready", () => waitForSite(siteUrl, options.timeoutMs, signal)));
  const pauseMs = Date.now() - state.stoppedAtMs!;
  await cleanUpSource(migration, done);
  return { method, pauseMs, isReady, backupFile: existsSync(backupFile) ? backupFile : null };
}

/**
 * Drops the slot once this site is live: an unread slot would fill the source's disk. Keeps it and
 * throws AppError(conflict) if it has transactions from after the cutover, which exist only in the
 * source. Also throws AppError(conflict) if the URL is not that of the migration's source.
 */
export async function cleanUpSource(migration: Migration, state: MigrationState): Promise<void> {
  if (!state.slot) return;
  const { url, targetFile } = migration;
  await runStep(migration, "clean-up", async () => {
    await assertSameSource(migration, state);
    const lateTransactions = (await hasSlot(url))
      ? await countPendingTransactions(url, state.position!)
      : 0;
    if (lateTransactions > 0)
      throw new AppError(
        "conflict",
        `This site is live, but the source database was written to after its writes were blocked: ${lateTransactions} transactions exist only there. Find out who wrote them; the slot "${SLOT_NAME}" retains them until abort drops it.`,
      );
    await dropSlot(url);
    // From now on, a slot of this name belongs to another migration.
    saveState(targetFile, { ...state, slot: null, publication: null });
  });
}

function assertReplaceable(members: number | null, { target, canReplace }: CutoverOptions): void {
  if (!members || canReplace) return;
  throw new AppError(
    "conflict",
    `${servedFileOf(target)} already has ${members} members. --replace replaces it, and keeps a backup next to it.`,
  );
}

/** Applies everything that is committed in the source by now. Returns how many rows changed. */
async function catchUpWithSource(migration: Migration, state: MigrationState): Promise<number> {
  const { url, targetFile, signal } = migration;
  if (state.mode === "stream") return applyStream(migration, state, await readCurrentPosition(url));
  const { staging } = migrationFiles(targetFile);
  return (await runFullResync({ url, file: staging, state, signal })).repaired;
}

/** Returns the site to wait for, or null with a note if it does not respond. */
async function findReachableSite(
  { onEvent }: Migration,
  siteUrl: string | null,
): Promise<string | null> {
  if (siteUrl === null) return null;
  const isReachable = await requestInternal(`${siteUrl}/healthz`, { timeoutMs: 2_000 }).then(
    () => true,
    () => false,
  );
  if (isReachable) return siteUrl;
  onEvent({
    kind: "note",
    text: `${siteUrl} is not responding, so cutover does not wait for it. --site sets this site's URL.`,
  });
  return null;
}

/** Returns whether the site became ready within `timeoutMs`. */
async function waitForSite(
  siteUrl: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const status = await requestInternal(`${siteUrl}/readyz`, { timeoutMs: 2_000 }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return true;
    if (performance.now() > deadlineMs) return false;
    await sleep(READY_POLL_MS, undefined, { signal });
  }
}
