// The commands of a move that come before its end: copy, follow, verify. Each says what it does through `onEvent`.

import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type pg from "pg";
import { AppError } from "../base/errors.ts";
import type { Sql } from "../db/connection.ts";
import { copyTables } from "./copy.ts";
import { follow } from "./follow.ts";
import { type Choices, MOVE_NAME } from "./move.ts";
import { pass, refillKeyless } from "./passes.ts";
import { readSystem } from "./plan-source.ts";
import { type Plan, decide, makePlan } from "./plan.ts";
import { dropSlot, makeSlot, snapshotNow } from "./slot.ts";
import { connectSource, endSource, readRows } from "./source.ts";
import { type MoveState, findState, forgetMove, getState, moveFiles, saveState } from "./state.ts";
import { finishLoad, makeTarget } from "./target.ts";
import { type Verification, verify } from "./verify.ts";

/** What a command is doing. Numbers are rows, bytes, milliseconds. */
export type MoveEvent =
  | {
      readonly kind: "begin" | "end";
      readonly step: Step;
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

export type Step =
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

export interface Move {
  /** The connection string; it is used and never told. */
  readonly url: string;
  /** The file that the move makes. */
  readonly to: string;
  /** Where the site reads it: the same, or a file within LiteFS' mount. */
  readonly placed: string;
  readonly choices: Choices;
  /** Whether the new site knows the old one's cookies. */
  readonly isOldCookieKnown: boolean;
  /** Makes the counters of reads anew (lib/reads). */
  readonly rebuild: (sql: Sql) => unknown;
  readonly onEvent: (event: MoveEvent) => void;
  /** Ends the command between two steps, or within one, with everything as a killed process would leave it. */
  readonly signal: AbortSignal;
}

/** Runs a step and says when it began and ended. */
export async function step<T>(
  { onEvent, signal }: Pick<Move, "onEvent" | "signal">,
  name: Step,
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
export async function plan(move: Move): Promise<Plan> {
  const client = await connectSource(move.url, { readOnly: true });
  try {
    return await makePlan(client, {
      to: move.to,
      choices: move.choices,
      isOldCookieKnown: move.isOldCookieKnown,
    });
  } finally {
    await endSource(client);
  }
}

/**
 * Copies one state of the source into the working file, whole and verified, and leaves a slot that has kept what was written since.
 * A copy that was interrupted begins again. Throws AppError(conflict) where one is complete already, or where the plan is not decided.
 */
export async function copy(move: Move): Promise<MoveState> {
  const { to, url } = move;
  const before = findState(to);
  if (before?.phase === "done")
    throw new AppError(
      "conflict",
      `The move to ${to} is done already. abort forgets it, and then another can begin.`,
    );
  if (before && before.phase !== "copying" && !existsSync(moveFiles(to).working))
    throw new AppError("conflict", `${moveFiles(to).working} is gone: abort, and copy again.`);
  if (before && before.phase !== "copying")
    throw new AppError(
      "conflict",
      `${moveFiles(to).working} is a complete copy already. follow, cutover or verify go on with it; abort throws it away.`,
    );
  const planned = await step(move, "plan", () => plan(move));
  const { tables, choices } = decide(planned);
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
    forgetMove(to);
  }
  mkdirSync(dirname(to), { recursive: true });
  const { mode, system, database } = planned.source;
  const name = mode === "stream" ? MOVE_NAME : null;
  // Before anything is made in the source: a crash in between leaves nothing that abort would not find.
  const state: MoveState = {
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
  saveState(to, state);

  const { working } = moveFiles(to);
  const slot =
    mode === "stream" ? await step(move, "slot", () => makeSlot(url, tables, move.signal)) : null;
  let source: pg.Client | undefined;
  try {
    source = await openSnapshot(url, slot?.snapshot ?? null);
    await slot?.release();
    const client = source;
    await makeTarget(working, { id: state.id, tables });
    const totals = new Map(planned.tables.map(({ table, rows }) => [table.target, rows]));
    await step(move, "copy", () =>
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
    await step(move, "indexes", () =>
      finishLoad(working, { rebuild: move.rebuild, position: slot?.position ?? "" }),
    );
    await compare(move, client, state, working);
  } finally {
    await slot?.release().catch(() => {});
    await endSource(source);
  }
  const copied: MoveState = { ...state, phase: "copied" };
  saveState(to, copied);
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
    await endSource(client);
    throw error;
  }
}

/** Compares `file` with what `source` sees. Throws AppError(conflict) where they differ; the event names the rows. */
export async function compare(
  move: Move,
  source: pg.Client,
  state: MoveState,
  file: string,
): Promise<Verification> {
  const verification = await step(move, "verify", () =>
    verify({
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
export async function checkSource({ url }: Pick<Move, "url">, state: MoveState): Promise<void> {
  const client = await connectSource(url, { readOnly: true });
  try {
    const [found] = await readRows<{ name: string }>(client, "SELECT current_database() AS name");
    if (found!.name !== state.database || (await readSystem(client)) !== state.system)
      throw new AppError(
        "conflict",
        "--from: this is another database than the one that the move began with.",
      );
  } finally {
    await endSource(client);
  }
}

/** The state of a complete copy of this source that can still follow it. Throws AppError(conflict) where there is none, or only an interrupted one. */
export async function getCopied(move: Move): Promise<MoveState> {
  const state = getState(move.to);
  if (state.phase === "copying")
    throw new AppError("conflict", "The copy was interrupted: begin again with copy, or resume.");
  if (state.phase === "placing" || state.phase === "done")
    throw new AppError(
      "conflict",
      state.phase === "done"
        ? `The move to ${move.to} is done.`
        : "The move is about to end: cutover or resume goes on with it.",
    );
  if (!existsSync(moveFiles(move.to).working))
    throw new AppError("conflict", `${moveFiles(move.to).working} is gone: abort, and copy again.`);
  await checkSource(move, state);
  return state;
}

/** How long is waited between two passes where the source can't stream. */
const PASS_EVERY_MS = 10_000;

/** Applies what was written in the source since the copy, until `signal`, or with `untilCaughtUp` until nothing is left at that moment. */
export async function keepFollowing(
  move: Move,
  { untilCaughtUp = false }: { untilCaughtUp?: boolean } = {},
): Promise<void> {
  const state = await getCopied(move);
  const { working } = moveFiles(move.to);
  if (state.mode === "stream") {
    const until = untilCaughtUp ? await currentPosition(move.url) : undefined;
    await step(move, "follow", () =>
      follow({
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
    const { mended } = await pass({ url: move.url, file: working, state, signal: move.signal });
    move.onEvent({ kind: "pass", mended, ms: performance.now() - startedMs });
    if (untilCaughtUp || move.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, PASS_EVERY_MS);
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
export async function currentPosition(url: string): Promise<string> {
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
    await endSource(client);
  }
}

/**
 * Compares source and copy at one and the same state, also while the source is written to: a snapshot is taken, the copy follows exactly up
 * to it, and then both are compared. After the cutover the placed file is compared with the source as it stands. Throws AppError(conflict) where they differ.
 */
export async function verifyMove(move: Move): Promise<Verification> {
  const begun = getState(move.to);
  if (begun.phase === "done") {
    await checkSource(move, begun);
    return withSnapshot(move.url, null, (source) => compare(move, source, begun, move.placed));
  }
  const state = await getCopied(move);
  const { working } = moveFiles(move.to);
  if (state.mode === "passes") {
    await pass({ url: move.url, file: working, state, signal: move.signal });
    return withSnapshot(move.url, null, (source) => compare(move, source, state, working));
  }
  const now = await snapshotNow(move.url, move.signal);
  try {
    return await withSnapshot(move.url, now.snapshot, async (source) => {
      await now.release();
      await step(move, "follow", () =>
        follow({
          url: move.url,
          file: working,
          state,
          until: now.position,
          signal: move.signal,
          onProgress: (progress) => move.onEvent({ kind: "lag", ...progress }),
        }),
      );
      await refillKeyless({ source, file: working, state });
      return compare(move, source, state, working);
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
    await endSource(source);
  }
}
