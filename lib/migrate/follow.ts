// Applies what was written in the source since the copy, transaction by transaction, and keeps how far it came beside what it applied.

import { setTimeout as sleep } from "node:timers/promises";
import { type Binding, bindRelation } from "./bind.ts";
import { createApplier } from "./apply.ts";
import { AppError, isAppError } from "../base/errors.ts";
import { type Message, formatLsn, parseLsn, readMessage } from "./pgoutput.ts";
import type { MoveState } from "./state.ts";
import { connectSource, endSource, readRows } from "./source.ts";
import { openStream } from "./stream.ts";
import { type Working, findMark, openWorking, setMark } from "./target.ts";

/** Small transactions share a commit, up to so many changes or so long. */
const BATCH_CHANGES = 5_000;
const BATCH_MS = 100;
/** A source that restarts, and a disk that is full, are waited for; less where somebody waits for the end. */
const AWAY_MS = 600_000;
const WAIT_MS = 60_000;
const AGAIN_MS = 500;
const REPORT_EVERY_MS = 250;
const WATCH_EVERY_MS = 1_000;

export interface FollowProgress {
  /** Of the source's log, between its end and what is applied. */
  readonly lagBytes: number;
  /** How old the last applied transaction is while there is more. */
  readonly lagSeconds: number;
  /** Rows changed so far by this call. */
  readonly changes: number;
  /** What is waited for. */
  readonly waiting?: string;
}

export interface FollowOptions {
  readonly url: string;
  /** The working file. */
  readonly file: string;
  readonly state: Pick<MoveState, "id" | "slot" | "publication" | "tables" | "choices">;
  /** A place in the log: all transactions whose commit stands before it are applied, and none after. Without it there is no end. */
  readonly until?: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: FollowProgress) => void;
}

/**
 * Follows the source until `until`, or `signal`: then what came is committed, and it returns. Killed at any moment, the next call goes on exactly where the file
 * is: a position is committed with the rows that lead to it. Waits up to ten minutes for a source that is away. Returns how many rows were changed.
 * Throws AppError(conflict) for what can't be applied, AppError(unavailable) where the source stays away.
 */
export async function follow({
  url,
  file,
  state,
  until,
  signal,
  onProgress,
}: FollowOptions): Promise<{ changes: number }> {
  const working = openWorking(file, state.id);
  let watching: ReturnType<typeof watchEnd> | null = null;
  try {
    const run: Run = {
      url,
      working,
      state,
      until: until === undefined ? null : parseLsn(until),
      signal,
      onProgress: onProgress ?? (() => {}),
      changes: 0,
      lastMs: performance.now(),
      end: 0n,
    };
    if (onProgress) watching = watchEnd(run);
    while (!signal.aborted) {
      try {
        if (await followOnce(run)) break;
      } catch (thrown) {
        if (signal.aborted) break;
        const error = /^SQLITE_FULL/.test(String((thrown as { code?: unknown }).code))
          ? new AppError("unavailable", "The disk is full. Make room.", { cause: thrown })
          : thrown;
        if (
          !isAppError(error, "unavailable") ||
          performance.now() - run.lastMs > (run.until === null ? AWAY_MS : WAIT_MS)
        )
          throw error;
        run.onProgress({
          lagBytes: 0,
          lagSeconds: 0,
          changes: run.changes,
          waiting: error.message,
        });
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
      }
    }
    return { changes: run.changes };
  } finally {
    watching?.stop();
    await watching?.stopped;
    working.close();
  }
}

interface Run {
  readonly url: string;
  readonly working: Working;
  readonly state: FollowOptions["state"];
  readonly until: bigint | null;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: FollowProgress) => void;
  changes: number;
  /** When the source was last heard of. */
  lastMs: number;
  /** Of its log. */
  end: bigint;
}

/** Keeps `run.end` true to a second: the stream tells only how far it was sent. */
function watchEnd(run: Run): { stop(): void; readonly stopped: Promise<void> } {
  const stopping = new AbortController();
  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const client = await connectSource(run.url).catch(() => null);
      try {
        while (client && !stopping.signal.aborted) {
          const [row] = await readRows<{ at: string }>(
            client,
            "SELECT pg_current_wal_flush_lsn()::text AS at",
          );
          run.end = parseLsn(row!.at);
          await sleep(WATCH_EVERY_MS, undefined, { signal: stopping.signal });
        }
      } catch {
        // The stream says what is wrong.
      } finally {
        await endSource(client);
      }
      await sleep(WATCH_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }
  return { stop: () => stopping.abort(), stopped: watch() };
}

/** One connection's stream. Returns true at its end: `until`, or the signal. */
async function followOnce(run: Run): Promise<boolean> {
  const { db } = run.working;
  const position = parseLsn(findMark(db, "position") ?? "");
  const follower = createFollower(run, position);
  const stream = await openStream({
    url: run.url,
    slot: run.state.slot!,
    publication: run.state.publication!,
    from: position,
    isUrgent: run.until !== null,
    onMessage: (bytes) => follower.take(readMessage(bytes)),
    onSeen: (end) => follower.see(end),
    applied: () => follower.confirmed(),
  });
  const onAbort = () => stream.end();
  run.signal.addEventListener("abort", onAbort);
  if (run.signal.aborted) onAbort();
  try {
    follower.onEnd(
      () => stream.end(),
      (error) => stream.fail(error),
    );
    await stream.ended;
    follower.flush(true);
    // The slot may forget what is applied, also when nothing more comes.
    await stream.confirm();
    return true;
  } finally {
    run.signal.removeEventListener("abort", onAbort);
    follower.close();
    await stream.close();
  }
}

interface Follower {
  /** Calls `end` when `until` is reached, at once where it has been: much may come before anybody asks. Calls `fail` for what fails between two messages. */
  onEnd(end: () => void, fail: (error: unknown) => void): void;
  take(message: Message): void;
  /** The server has sent all before `sent`. */
  see(sent: bigint): void;
  /** Commits what is whole; says how far it came where it is the last time. */
  flush(isLast?: boolean): void;
  /** Up to here the source may forget. */
  confirmed(): bigint;
  /** Takes back what is not whole. */
  close(): void;
}

function createFollower(run: Run, from: bigint): Follower {
  const { db } = run.working;
  const applier = createApplier(db, run.state);
  const bindings = new Map<number, Binding>();
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  let position = from;
  let committed = from;
  let seen = from;
  /** Of the transaction that is being received. */
  let isWithin = false;
  let isPassedOver = false;
  let timeMs = 0;
  let batch = 0;
  let sinceMs = 0;
  let isDone = false;
  let timer: NodeJS.Timeout | undefined;
  let reportedMs = 0;

  let end = () => {};
  let fail = (_: unknown) => {};

  function onEnd(then: () => void, otherwise: (error: unknown) => void): void {
    end = then;
    fail = otherwise;
    if (isDone) end();
  }

  function flushLater(): void {
    try {
      flush();
    } catch (error) {
      isDone = true;
      fail(error);
    }
  }

  function done(): void {
    isDone = true;
    end();
  }

  function report(isLast = false): void {
    const nowMs = performance.now();
    if (nowMs - reportedMs < REPORT_EVERY_MS && !isLast) return;
    reportedMs = nowMs;
    const end = run.until ?? (run.end > seen ? run.end : seen);
    const lagBytes = end > position ? Number(end - position) : 0;
    run.onProgress({
      lagBytes,
      lagSeconds: lagBytes > 0 && timeMs > 0 ? Math.max(0, (Date.now() - timeMs) / 1000) : 0,
      changes: run.changes,
    });
  }

  function flush(isLast = false): void {
    clearTimeout(timer);
    timer = undefined;
    if (isWithin && !isPassedOver) return;
    if (db.inTransaction) {
      setMark(db, "position", formatLsn(position));
      commit.run();
    }
    committed = position;
    batch = 0;
    report(isLast);
  }

  function close(): void {
    clearTimeout(timer);
    isDone = true;
    if (db.inTransaction) db.exec("ROLLBACK");
  }

  function see(sent: bigint): void {
    run.lastMs = performance.now();
    if (sent > seen) seen = sent;
    if (isDone) return;
    // Between transactions everything before it has come, and holds nothing of ours after what is applied.
    if (!isWithin && !db.inTransaction && sent > position) position = committed = sent;
    report();
    if (run.until !== null && !isWithin && sent >= run.until) done();
  }

  function change(relation: number, work: (binding: Binding) => void): void {
    if (isPassedOver) return;
    const binding = bindings.get(relation);
    if (!binding)
      throw new AppError(
        "conflict",
        "The stream names a table that it did not describe. Abort, and copy again.",
      );
    if (!db.inTransaction) {
      begin.run();
      sinceMs = performance.now();
    }
    work(binding);
    batch += 1;
    run.changes += 1;
  }

  function take(message: Message): void {
    if (isDone) return;
    switch (message.kind) {
      case "begin":
        if (run.until !== null && message.at >= run.until) return done();
        isWithin = true;
        isPassedOver = message.at < position;
        ({ timeMs } = message);
        return;
      case "commit":
        if (!isPassedOver) applier.settle();
        isWithin = false;
        if (isPassedOver) return;
        position = message.end;
        if (position > seen) seen = position;
        run.lastMs = performance.now();
        report();
        if (batch >= BATCH_CHANGES || (batch > 0 && performance.now() - sinceMs > BATCH_MS))
          flush();
        else timer ??= setTimeout(flushLater, BATCH_MS);
        return;
      case "relation":
        bindings.set(message.relation.id, bindRelation(message.relation, run.state));
        return;
      case "insert":
        return change(message.relation, ({ moves }) =>
          moves.forEach((move) => applier.insert(move.table, move.row(message.row))),
        );
      case "update":
        return change(message.relation, ({ moves }) =>
          moves.forEach((move) =>
            applier.update(
              move.table,
              move.key(message.old ?? message.row),
              move.changed(message.row),
            ),
          ),
        );
      case "delete":
        return change(message.relation, ({ moves }) =>
          moves.forEach((move) => applier.remove(move.table, move.key(message.old))),
        );
      case "truncate": {
        const emptied = message.relations.flatMap(
          (relation) => bindings.get(relation)?.moves.map(({ table }) => table) ?? [],
        );
        const ordered = run.state.tables.filter((table) => emptied.includes(table));
        if (message.relations[0] !== undefined)
          change(message.relations[0], () => applier.truncate(ordered));
        return;
      }
      case "other":
    }
  }

  return { onEnd, take, see, flush, confirmed: () => committed, close };
}
