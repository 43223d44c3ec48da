// The end of a move: the old site stops writing, the last changes come over, both sides are compared, the new site serves.

import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, isAppError } from "../base/errors.ts";
import { call } from "../base/call.ts";
import { follow } from "./follow.ts";
import { MOVE_NAME } from "./move.ts";
import { pass, refillKeyless } from "./passes.ts";
import {
  type Occupied,
  type Place,
  keepOld,
  keepSettings,
  lookAt,
  placedFile,
  putInPlace,
} from "./place.ts";
import {
  allowWrites,
  endOlder,
  findReadOnly,
  requireRightToStop,
  stopWrites,
  waitUntilAlone,
} from "./read-only.ts";
import {
  type Move,
  checkSource,
  compare,
  copy,
  currentPosition,
  getCopied,
  step,
  withSnapshot,
} from "./run.ts";
import { dropSlot, hasSlot, untaken } from "./slot.ts";
import { type MoveState, findState, forgetMove, hasTraces, moveFiles, saveState } from "./state.ts";
import { checkWhole, finishTarget, hasArrived, isFinished, positionOf } from "./target.ts";

export interface Cutover {
  readonly place: Place;
  /** Whether a database that has members may be replaced; it is kept aside. */
  readonly replace: boolean;
  /** How the old site is kept from writing: by the database's setting, or by its owner, who has stopped it. */
  readonly stop: "read-only" | "by owner";
  /** Where the new site answers; null where nobody waits for it. */
  readonly site: string | null;
  /** The bound of each wait for people and for the site. */
  readonly patienceMs: number;
}

export interface Moved {
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
export async function cutOver(move: Move, options: Cutover): Promise<Moved> {
  const begun = findState(move.to);
  if (begun?.phase === "done")
    throw new AppError(
      "conflict",
      `The move to ${move.to} is done. verify compares once more; abort lets the old site write again.`,
    );
  if (begun?.phase === "placing") return goOn(move, options, begun);
  refuseToReplace(await lookAt(options.place), options);
  if (!begun || begun.phase === "copying") await copy(move);
  const state = await getCopied(move);
  const { working } = moveFiles(move.to);
  keepSettings(options.place, working);
  const readOnly =
    options.stop === "by owner"
      ? null
      : (state.readOnly ?? { before: await findReadOnly(move.url) });
  if (readOnly) await requireRightToStop(move.url);
  // What takes long is done before the pause: the first look at the log may be hours behind, and much is written while it is taken over.
  await step(move, "check", () => checkWhole(working));
  await step(move, "follow", async () => {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const startedMs = performance.now();
      await catchUp(move, state);
      if (performance.now() - startedMs < SHORT_MS || state.mode === "passes") return;
    }
  });

  const site = options.site !== null && (await answers(options.site)) ? options.site : null;
  if (site !== options.site)
    move.onEvent({
      kind: "note",
      text: `${options.site} does not answer, so nobody waits for it. --site names where the new site is.`,
    });
  let stopped = state;
  try {
    const since = await step(move, "stop writes", async () => {
      if (!readOnly) await waitUntilAlone(move.url, options.patienceMs, move.signal);
      stopped = {
        ...state,
        phase: "cutover",
        readOnly,
        stoppedAtMs: state.stoppedAtMs ?? Date.now(),
      };
      // Before it is done: a crash in between is undone, too.
      saveState(move.to, stopped);
      return readOnly ? (await stopWrites(move.url)).since : null;
    });
    await step(move, "drain", () => catchUp(move, state));
    for (let round = 0; ; round += 1) {
      await compareNow(move, state, working);
      // A session that began to come when writes were stopped may only be seen now; what it wrote has to come over, too.
      const late = since === null ? 0 : await endOlder(move.url, since);
      const changes = await catchUp({ ...move, onEvent: () => {} }, state);
      if (late === 0 && changes === 0) break;
      if (round === MAX_LATE)
        throw new AppError(
          "conflict",
          "Somebody still writes to the old database: a role or a session that sets itself to write. Stop it, and cut over again.",
        );
    }
  } catch (error) {
    if (stopped.phase === "cutover") await letWriteAgain(move, stopped);
    throw error;
  }
  const placing: MoveState = {
    ...stopped,
    phase: "placing",
    position: state.slot === null ? null : positionOf(working),
  };
  saveState(move.to, placing);
  return finish(move, { ...options, site }, placing);
}

/** How often what came late is taken over, and compared again. */
const MAX_LATE = 2;

/** Compares with the source as it is now: nobody writes, so this state is the last one. */
async function compareNow(move: Move, state: MoveState, working: string): Promise<void> {
  await withSnapshot(move.url, null, async (source) => {
    if (!isFinished(working)) await refillKeyless({ source, file: working, state });
    await compare(move, source, state, working);
  });
}

/** After a process that was killed while it put the file in its place: what was true then may be no more. */
async function goOn(move: Move, options: Cutover, state: MoveState): Promise<Moved> {
  const { working } = moveFiles(move.to);
  await checkSource(move, state);
  if (hasArrived(placedFile(options.place), state.id)) return finish(move, options, state);
  if (!existsSync(working))
    throw new AppError("conflict", `${working} is gone: abort, and copy again.`);
  await step(move, "stop writes", async () => {
    if (state.readOnly) await stopWrites(move.url);
    else await waitUntilAlone(move.url, options.patienceMs, move.signal);
  });
  if (state.slot && (await untaken(move.url, state.position!)) > 0)
    throw new AppError(
      "conflict",
      "The old site was written to after it had been stopped. Abort, and begin again: nothing of it is lost there.",
    );
  await step(move, "check", () => checkWhole(working));
  await compareNow(move, state, working);
  return finish(move, options, state);
}

/** After a cutover that failed. Where the source can't be told, the state still says that it is read-only: abort and the next cutover know. */
async function letWriteAgain(move: Move, state: MoveState): Promise<void> {
  try {
    if (state.readOnly) await allowWrites(move.url, state.readOnly.before);
  } catch {
    return move.onEvent({
      kind: "note",
      text: "The old site may still be read-only, since its database could not be told otherwise: abort does that.",
    });
  }
  saveState(move.to, { ...state, phase: "copied", readOnly: null, stoppedAtMs: null });
  if (state.readOnly) move.onEvent({ kind: "note", text: "The old site may write again." });
}

/** From a file that is equal to the source to a site that serves it. A process that was killed in here begins here again. */
async function finish(move: Move, options: Cutover, state: MoveState): Promise<Moved> {
  const { working } = moveFiles(move.to);
  const aside = `${move.to}.before-${state.id.slice(0, 8)}`;
  let how: Moved["how"] = "renamed";
  let wasKept = existsSync(aside);
  // A process that was killed may have put it in place already, and the site may have written to it since.
  if (!hasArrived(placedFile(options.place), state.id)) {
    try {
      await step(move, "finish", () => finishTarget(working, state.id));
      how = await step(move, "place", async () => {
        if (!wasKept) wasKept = keepOld(options.place, aside);
        const done = await putInPlace(options.place, working);
        if (!hasArrived(placedFile(options.place), state.id))
          throw new AppError(
            "unavailable",
            `${placedFile(options.place)} is not what was put there.`,
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
  saveState(move.to, { ...state, phase: "done" });
  for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(working + suffix, { force: true });
  const isReady =
    options.site !== null &&
    (await step(move, "ready", () => waitForSite(options.site!, options.patienceMs, move.signal)));
  const pauseMs = Date.now() - state.stoppedAtMs!;
  await cleanUp(move, state);
  return { how, pauseMs, isReady, aside: wasKept ? aside : null };
}

/**
 * Takes away what the move made in the source, once the site serves: a slot that nobody reads would fill its disk. Throws AppError(conflict), and leaves it,
 * where it holds changes that came after the end: they are in no other place than the old database.
 */
export async function cleanUp(move: Move, state: MoveState): Promise<void> {
  if (!state.slot) return;
  await step(move, "clean up", async () => {
    const late = (await hasSlot(move.url)) ? await untaken(move.url, state.position!) : 0;
    if (late > 0)
      throw new AppError(
        "conflict",
        `The new site serves, and the old database was written to after it had been stopped: ${late} transactions are only there. Look who it was; the slot "${MOVE_NAME}" still holds them, and abort takes it away.`,
      );
    await dropSlot(move.url);
  });
}

function refuseToReplace({ members }: Occupied, { place, replace }: Cutover): void {
  if (!members || replace) return;
  throw new AppError(
    "conflict",
    `${placedFile(place)} has ${members} members already. --replace puts the moved database in its place and keeps what is there beside it.`,
  );
}

/** Applies what is committed in the source by now. Returns how many rows that changed. */
async function catchUp(move: Move, state: MoveState): Promise<number> {
  const { working: file } = moveFiles(move.to);
  if (state.mode === "passes")
    return (await pass({ url: move.url, file, state, signal: move.signal })).mended;
  const until = await currentPosition(move.url);
  return (
    await follow({
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
const SHORT_MS = 500;
const MAX_ROUNDS = 20;
const LOOK_EVERY_MS = 50;

/** Whether anything answers there. */
const answers = (site: string) =>
  call(`${site}/healthz`, { timeoutMs: 2_000 }).then(
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
    const status = await call(`${site}/readyz`, { timeoutMs: 2_000 }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return true;
    if (performance.now() > untilMs) return false;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** What abort did, in sentences. Throws AppError(conflict) where `url` is another database than the one that the move began with. */
export async function abort({
  url,
  to,
  allow,
}: {
  url: string;
  to: string;
  /** Also where the state does not say that it was this move that stopped writes. */ allow: boolean;
}): Promise<string[]> {
  const state = findStateOrNothing(to);
  const done: string[] = [];
  if (state) await checkSource({ url }, state);
  // Without a state nothing says that the slot is this move's.
  if (await dropSlot(url, { force: state !== null || hasTraces(to) }))
    done.push("The slot and the publication are gone from the old database.");
  const isReadOnly = /^(on|t|true|y|yes|1)$/i.test((await findReadOnly(url)) ?? "off");
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
  if (hasTraces(to)) {
    forgetMove(to);
    done.push(
      state?.phase === "done"
        ? `The move is forgotten; ${to} stays as it is, and what was written there since then is not in the old database. Stop the new site, or two sites take writes. What stood there before the move is kept beside it (.before-…).`
        : "The copy is deleted.",
    );
  }
  return done.length > 0 ? done : ["There was nothing to undo."];
}

/** A state that can't be read is none: undoing must be possible all the same. */
function findStateOrNothing(to: string): MoveState | null {
  try {
    return findState(to);
  } catch (error) {
    if (isAppError(error, "conflict")) return null;
    throw error;
  }
}
