// What this instance is to the cluster: from LiteFS' events, and from the file `.primary` each time it is asked.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { resetSingleton, singleton } from "#lib/core/singleton.ts";
import { type LitefsEvent, subscribeLitefsEvents } from "./litefs-events.ts";

export type Role = "primary" | "replica" | "unknown";

interface LitefsState {
  /** What LiteFS said last; null while it says nothing: then nobody knows. */
  lastPrimaryEvent: { readonly isPrimary: boolean; readonly hostname: string } | null;
  /** When LiteFS last said that it has no primary (performance.now()); null: not since this process began. */
  primaryLostAtMs: number | null;
  /** The newest transaction that LiteFS reported, and how old it was on arrival. */
  lastTxid: number;
  lastTxDelayMs: number | null;
  readonly listeners: Set<() => void>;
  stop: (() => void) | null;
}

export const litefsState = (): LitefsState =>
  singleton<LitefsState>("litefs", () => ({
    lastPrimaryEvent: null,
    primaryLostAtMs: null,
    lastTxid: 0,
    lastTxDelayMs: null,
    listeners: new Set(),
    stop: null,
  }));

/** Another primary's name in `.primary`; null without the file; undefined where it can't be read. The reference took "can't be read" for "I am it". */
function readPrimaryFile(): string | null | undefined {
  try {
    return readFileSync(join(env.FLY_LITEFS_DIR, ".primary"), "utf8").trim();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? null : undefined;
  }
}

/**
 * primary: may write. replica: knows who may. unknown: no primary is known, nobody may write. Without replication always primary.
 * LiteFS' events and its file must agree: the file alone is absent on a primary and on a replica that lost its primary alike.
 */
export function currentRole(): Role {
  if (!env.REPLICATION) return "primary";
  const { lastPrimaryEvent } = litefsState();
  if (!lastPrimaryEvent) return "unknown";
  const file = readPrimaryFile();
  if (lastPrimaryEvent.isPrimary) return file === null ? "primary" : "unknown";
  return lastPrimaryEvent.hostname !== "" && file === lastPrimaryEvent.hostname
    ? "replica"
    : "unknown";
}

/** The name of the instance that may write; null where none is known. */
export function findPrimaryInstance(): string | null {
  switch (currentRole()) {
    case "primary":
      return currentInstance();
    case "replica":
      return litefsState().lastPrimaryEvent?.hostname ?? null;
    default:
      return null;
  }
}

/** What `look` says as soon as that is not "unknown", or "unknown" after `timeoutMs`: a planned hand-over takes less than that. */
export async function waitForKnownRole(
  timeoutMs: number,
  look: () => Role = currentRole,
): Promise<Role> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const now = look();
    const leftMs = untilMs - performance.now();
    if (now !== "unknown" || leftMs <= 0) return now;
    // The event may come before the file is as it says: looked at again soon, too.
    await nextChange(Math.min(leftMs, 20));
  }
}

/** Resolves when `listeners` are called next, those of LiteFS' events unless others are given, or after `timeoutMs`. */
export function nextChange(
  timeoutMs: number,
  listeners: Set<() => void> = litefsState().listeners,
): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      listeners.delete(end);
      resolve();
    };
    const timer = setTimeout(end, timeoutMs);
    listeners.add(end);
  });
}

/** How old what many wait for may be. */
const CACHE_MS = 10;

/**
 * `read`, looked at once for all who wait: a look at the mount is a synchronous call into LiteFS, and hundreds may wait at once.
 * What it says is at most ten milliseconds old, and from after the last event.
 */
export function cachedFor<T>(read: () => T): () => T {
  let seen:
    | { readonly atMs: number; readonly heard: unknown; readonly txid: number; readonly value: T }
    | undefined;
  return () => {
    const { lastPrimaryEvent, lastTxid } = litefsState();
    const atMs = performance.now();
    if (
      !seen ||
      atMs - seen.atMs >= CACHE_MS ||
      seen.heard !== lastPrimaryEvent ||
      seen.txid !== lastTxid
    )
      seen = { atMs, heard: lastPrimaryEvent, txid: lastTxid, value: read() };
    return seen.value;
  };
}

const RECONNECT_DELAY_MS = 100;

/** Begins to follow LiteFS. Once per process, before requests; does nothing without replication. */
export function startWatchingLitefs(): void {
  const state = litefsState();
  if (!env.REPLICATION || state.stop) return;
  const abort = new AbortController();
  state.stop = () => abort.abort();
  const database = basename(env.DATABASE_FILE);
  const on = (event: LitefsEvent) => {
    if (event.type === "tx") {
      if (event.db !== database) return;
      // Not the larger of the two: after a restore numbers begin anew.
      state.lastTxid = Number.parseInt(event.data.txID, 16);
      state.lastTxDelayMs = Math.max(0, Date.now() - Date.parse(event.data.timestamp));
    } else {
      state.lastPrimaryEvent = {
        isPrimary: event.data.isPrimary,
        hostname: event.data.hostname ?? "",
      };
      if (!event.data.isPrimary && !event.data.hostname) state.primaryLostAtMs = performance.now();
      log("info", "litefs.primary", {
        isPrimary: event.data.isPrimary,
        primary: event.data.isPrimary ? currentInstance() : event.data.hostname || null,
      });
    }
    for (const listener of [...state.listeners]) listener();
  };
  void (async () => {
    while (!abort.signal.aborted) {
      try {
        await subscribeLitefsEvents(env.LITEFS_URL, on, abort.signal);
      } catch (error) {
        if (!abort.signal.aborted && state.lastPrimaryEvent) log("error", "litefs.lost", { error });
      }
      state.lastPrimaryEvent = null;
      for (const listener of [...state.listeners]) listener();
      if (!abort.signal.aborted)
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_DELAY_MS));
    }
  })();
}

/** Ends the following. For tests and the end of the process. */
export function stopWatchingLitefs(): void {
  litefsState().stop?.();
  resetSingleton("litefs");
}
