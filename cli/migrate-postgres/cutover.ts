// The end of a move: the old site stops writing, the last changes come over, both sides are compared, the new site serves.

import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { requestInternal } from "#lib/core/internal-request.ts";
import { replicateChanges } from "./replicate-changes.ts";
import { SLOT_NAME } from "./table-mapping.ts";
import { runFullResync, refillKeylessTables } from "./full-resync.ts";
import {
  type TargetState,
  type SwapTarget,
  backupTarget,
  carryOverSettings,
  inspectTarget,
  servedFileOf,
  swapIn,
} from "./swap-in.ts";
import {
  allowWrites,
  terminateOlder,
  findReadOnlySetting,
  assertCanTerminate,
  blockWrites,
  waitForNoSessions,
} from "./block-writes.ts";
import {
  type Migration,
  assertSameSource,
  assertEqualToSource,
  copySource,
  readCurrentPosition,
  getCompleteCopy,
  runStep,
  withSnapshot,
} from "./migration.ts";
import { dropSlot, hasSlot, countPendingTransactions } from "./replication-slot.ts";
import {
  type MigrationState,
  findState,
  deleteMigrationFiles,
  hasMigrationFiles,
  migrationFiles,
  saveState,
} from "./migration-state.ts";
import {
  assertIntact,
  finishStagingDatabase,
  isMigratedFile,
  isStagingFinished,
  readPosition,
} from "./staging-database.ts";

export interface CutoverOptions {
  readonly target: SwapTarget;
  /** Whether a database that has members may be replaced; it is kept aside. */
  readonly canReplace: boolean;
  /** How the old site is kept from writing: by the database's setting, or by its owner, who has stopped it. */
  readonly stopMode: "read-only" | "by owner";
  /** Where the new site answers; null where nobody waits for it. */
  readonly siteUrl: string | null;
  /** The bound of each wait for people and for the site. */
  readonly timeoutMs: number;
}

export interface CutoverResult {
  readonly how: "renamed" | "replaced while in use" | "imported into LiteFS";
  /** From the moment when the old site could not write any more until the new one was ready to. */
  readonly pauseMs: number;
  readonly isReady: boolean;
  /** What stood there before; null where nothing did. */
  readonly aside: string | null;
}

/**
 * Moves: copies first where that was not done, follows until little is left, and then, within the pause, all the rest. Where anything fails before
 * the new file is in place the old site may write again and the copy goes on from where it is. Killed at any moment, it goes on when it is called
 * again. Throws AppError(conflict) where the two sides differ, where a database with members is in the way, or where somebody still writes.
 */
export async function cutOver(move: Migration, options: CutoverOptions): Promise<CutoverResult> {
  const begun = findState(move.targetFile);
  if (begun?.phase === "done")
    throw new AppError(
      "conflict",
      `The move to ${move.targetFile} is done. verify compares once more; abort lets the old site write again.`,
    );
  if (begun?.phase === "placing") return resumeCutover(move, options, begun);
  assertReplaceable(await inspectTarget(options.target), options);
  if (!begun || begun.phase === "copying") await copySource(move);
  const state = await getCompleteCopy(move);
  const { working } = migrationFiles(move.targetFile);
  carryOverSettings(options.target, working);
  const readOnly =
    options.stopMode === "by owner"
      ? null
      : (state.readOnly ?? { before: await findReadOnlySetting(move.url) });
  if (readOnly) await assertCanTerminate(move.url);
  // What takes long is done before the pause: the first look at the log may be hours behind, and much is written while it is taken over.
  await runStep(move, "check", () => assertIntact(working));
  await runStep(move, "follow", async () => {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const startedMs = performance.now();
      await catchUpWithSource(move, state);
      if (performance.now() - startedMs < SHORT_ROUND_MS || state.mode === "passes") return;
    }
  });

  const site =
    options.siteUrl !== null && (await isReachable(options.siteUrl)) ? options.siteUrl : null;
  if (site !== options.siteUrl)
    move.onEvent({
      kind: "note",
      text: `${options.siteUrl} does not answer, so nobody waits for it. --site names where the new site is.`,
    });
  let stopped = state;
  try {
    const since = await runStep(move, "stop writes", async () => {
      if (!readOnly) await waitForNoSessions(move.url, options.timeoutMs, move.signal);
      stopped = {
        ...state,
        phase: "cutover",
        readOnly,
        stoppedAtMs: state.stoppedAtMs ?? Date.now(),
      };
      // Before it is done: a crash in between is undone, too.
      saveState(move.targetFile, stopped);
      return readOnly ? (await blockWrites(move.url)).since : null;
    });
    await runStep(move, "drain", () => catchUpWithSource(move, state));
    for (let round = 0; ; round += 1) {
      await compareWithCurrentSource(move, state, working);
      // A session that began to come when writes were stopped may only be seen now; what it wrote has to come over, too.
      const late = since === null ? 0 : await terminateOlder(move.url, since);
      const changes = await catchUpWithSource({ ...move, onEvent: () => {} }, state);
      if (late === 0 && changes === 0) break;
      if (round === MAX_LATE_ROUNDS)
        throw new AppError(
          "conflict",
          "Somebody still writes to the old database: a role or a session that sets itself to write. Stop it, and cut over again.",
        );
    }
  } catch (error) {
    if (stopped.phase === "cutover") await allowWritesAfterFailure(move, stopped);
    throw error;
  }
  const placing: MigrationState = {
    ...stopped,
    phase: "placing",
    position: state.slot === null ? null : readPosition(working),
  };
  saveState(move.targetFile, placing);
  return finishCutover(move, { ...options, siteUrl: site }, placing);
}

/** How often what came late is taken over, and compared again. */
const MAX_LATE_ROUNDS = 2;

/** Compares with the source as it is now: nobody writes, so this state is the last one. */
async function compareWithCurrentSource(
  move: Migration,
  state: MigrationState,
  working: string,
): Promise<void> {
  await withSnapshot(move.url, null, async (source) => {
    if (!isStagingFinished(working)) await refillKeylessTables({ source, file: working, state });
    await assertEqualToSource(move, source, state, working);
  });
}

/** After a process that was killed while it put the file in its place: what was true then may be no more. */
async function resumeCutover(
  move: Migration,
  options: CutoverOptions,
  state: MigrationState,
): Promise<CutoverResult> {
  const { working } = migrationFiles(move.targetFile);
  await assertSameSource(move, state);
  if (isMigratedFile(servedFileOf(options.target), state.id))
    return finishCutover(move, options, state);
  if (!existsSync(working))
    throw new AppError("conflict", `${working} is gone: abort, and copy again.`);
  await runStep(move, "stop writes", async () => {
    if (state.readOnly) await blockWrites(move.url);
    else await waitForNoSessions(move.url, options.timeoutMs, move.signal);
  });
  if (state.slot && (await countPendingTransactions(move.url, state.position!)) > 0)
    throw new AppError(
      "conflict",
      "The old site was written to after it had been stopped. Abort, and begin again: nothing of it is lost there.",
    );
  await runStep(move, "check", () => assertIntact(working));
  await compareWithCurrentSource(move, state, working);
  return finishCutover(move, options, state);
}

/** After a cutover that failed. Where the source can't be told, the state still says that it is read-only: abort and the next cutover know. */
async function allowWritesAfterFailure(move: Migration, state: MigrationState): Promise<void> {
  try {
    if (state.readOnly) await allowWrites(move.url, state.readOnly.before);
  } catch {
    return move.onEvent({
      kind: "note",
      text: "The old site may still be read-only, since its database could not be told otherwise: abort does that.",
    });
  }
  saveState(move.targetFile, { ...state, phase: "copied", readOnly: null, stoppedAtMs: null });
  if (state.readOnly) move.onEvent({ kind: "note", text: "The old site may write again." });
}

/** From a file that is equal to the source to a site that serves it. A process that was killed in here begins here again. */
async function finishCutover(
  move: Migration,
  options: CutoverOptions,
  state: MigrationState,
): Promise<CutoverResult> {
  const { working } = migrationFiles(move.targetFile);
  const aside = `${move.targetFile}.before-${state.id.slice(0, 8)}`;
  let how: CutoverResult["how"] = "renamed";
  let wasKept = existsSync(aside);
  // A process that was killed may have put it in place already, and the site may have written to it since.
  if (!isMigratedFile(servedFileOf(options.target), state.id)) {
    try {
      await runStep(move, "finish", () => finishStagingDatabase(working, state.id));
      how = await runStep(move, "place", async () => {
        if (!wasKept) wasKept = backupTarget(options.target, aside);
        const done = await swapIn(options.target, working);
        if (!isMigratedFile(servedFileOf(options.target), state.id))
          throw new AppError(
            "unavailable",
            `${servedFileOf(options.target)} is not what was put there.`,
          );
        return done;
      });
    } catch (error) {
      move.onEvent({
        kind: "note",
        text: `Both sides are equal, and the new one is not in its place yet.${state.readOnly ? " The old site can't write." : ""} cutover tries again; abort gives the move up${state.readOnly ? " and lets the old site write again" : ""}.`,
      });
      throw error;
    }
  }
  saveState(move.targetFile, { ...state, phase: "done" });
  for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(working + suffix, { force: true });
  const isReady =
    options.siteUrl !== null &&
    (await runStep(move, "ready", () =>
      waitForSite(options.siteUrl!, options.timeoutMs, move.signal),
    ));
  const pauseMs = Date.now() - state.stoppedAtMs!;
  await cleanUpSource(move, state);
  return { how, pauseMs, isReady, aside: wasKept ? aside : null };
}

/**
 * Takes away what the move made in the source, once the site serves: a slot that nobody reads would fill its disk. Throws AppError(conflict), and leaves it,
 * where it holds changes that came after the end: they are in no other place than the old database.
 */
export async function cleanUpSource(move: Migration, state: MigrationState): Promise<void> {
  if (!state.slot) return;
  await runStep(move, "clean up", async () => {
    const late = (await hasSlot(move.url))
      ? await countPendingTransactions(move.url, state.position!)
      : 0;
    if (late > 0)
      throw new AppError(
        "conflict",
        `The new site serves, and the old database was written to after it had been stopped: ${late} transactions are only there. Look who it was; the slot "${SLOT_NAME}" still holds them, and abort takes it away.`,
      );
    await dropSlot(move.url);
  });
}

function assertReplaceable({ members }: TargetState, { target, canReplace }: CutoverOptions): void {
  if (!members || canReplace) return;
  throw new AppError(
    "conflict",
    `${servedFileOf(target)} has ${members} members already. --replace puts the moved database in its place and keeps what is there beside it.`,
  );
}

/** Applies what is committed in the source by now. Returns how many rows that changed. */
async function catchUpWithSource(move: Migration, state: MigrationState): Promise<number> {
  const { working: file } = migrationFiles(move.targetFile);
  if (state.mode === "passes")
    return (await runFullResync({ url: move.url, file, state, signal: move.signal })).mended;
  const until = await readCurrentPosition(move.url);
  return (
    await replicateChanges({
      url: move.url,
      file,
      state,
      until,
      signal: move.signal,
      onProgress: (progress) => move.onEvent({ kind: "lag", ...progress }),
    })
  ).changes;
}

/** A round that was this short leaves little for the pause. */
const SHORT_ROUND_MS = 500;
const MAX_ROUNDS = 20;
const POLL_MS = 50;

/** Whether anything answers there. */
const isReachable = (site: string) =>
  requestInternal(`${site}/healthz`, { timeoutMs: 2_000 }).then(
    () => true,
    () => false,
  );

/** Whether the site at `site` says that it is ready, within `patienceMs`. */
async function waitForSite(
  site: string,
  patienceMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const status = await requestInternal(`${site}/readyz`, { timeoutMs: 2_000 }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return true;
    if (performance.now() > untilMs) return false;
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** What abort did, in sentences. Throws AppError(conflict) where `url` is another database than the one that the move began with. */
export async function abortMigration({
  url,
  to,
  allow,
}: {
  url: string;
  to: string;
  /** Also where the state does not say that it was this move that stopped writes. */ allow: boolean;
}): Promise<string[]> {
  const state = findReadableState(to);
  const done: string[] = [];
  if (state) await assertSameSource({ url }, state);
  // Without a state nothing says that the slot is this move's.
  if (await dropSlot(url, { force: state !== null || hasMigrationFiles(to) }))
    done.push("The slot and the publication are gone from the old database.");
  const isReadOnly = /^(on|t|true|y|yes|1)$/i.test((await findReadOnlySetting(url)) ?? "off");
  if (isReadOnly && (state?.readOnly || allow)) {
    await allowWrites(url, state?.readOnly?.before ?? null);
    done.push(
      "The old site may write again; sessions that were begun meanwhile were ended, so that they begin anew.",
    );
  } else if (isReadOnly) {
    done.push(
      "The old database is read-only, and nothing here says that this move did it. --allow-writes lets the old site write again.",
    );
  }
  if (hasMigrationFiles(to)) {
    deleteMigrationFiles(to);
    done.push(
      state?.phase === "done"
        ? `The move is forgotten; ${to} stays as it is, and what was written there since then is not in the old database. Stop the new site, or two sites take writes. What stood there before the move is kept beside it (.before-…).`
        : "The copy is deleted.",
    );
  }
  return done.length > 0 ? done : ["There was nothing to undo."];
}

/** A state that can't be read is none: undoing must be possible all the same. */
function findReadableState(to: string): MigrationState | null {
  try {
    return findState(to);
  } catch (error) {
    if (isAppError(error, "conflict")) return null;
    throw error;
  }
}
