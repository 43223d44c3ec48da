// What this instance is to the cluster: from LiteFS' events, and from the file `.primary` each time it is asked.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { env } from "../base/env.ts";
import { log } from "../base/log.ts";
import { currentInstance } from "./instance.ts";
import { type LitefsEvent, litefsEvents } from "./events.ts";

export type Role = "primary" | "replica" | "unknown";

interface Followed {
  /** What LiteFS said last; null while it says nothing: then nobody knows. */
  heard: { readonly isPrimary: boolean; readonly hostname: string } | null;
  /** When LiteFS last said that it has no primary (performance.now()); null: not since this process began. */
  lostAtMs: number | null;
  /** The newest transaction that LiteFS reported, and how old it was on arrival. */
  txid: number;
  delayMs: number | null;
  readonly listeners: Set<() => void>;
  stop: (() => void) | null;
}

// One per process: instrumentation, middleware, pages and handlers are bundled apart.
const shared = globalThis as { __lecternLitefs?: Followed };
export const followed = (): Followed =>
  (shared.__lecternLitefs ??= {
    heard: null,
    lostAtMs: null,
    txid: 0,
    delayMs: null,
    listeners: new Set(),
    stop: null,
  });

/** Another primary's name in `.primary`; null without the file; undefined where it can't be read. The reference took "can't be read" for "I am it". */
function primaryFile(): string | null | undefined {
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
export function role(): Role {
  if (!env.REPLICATION) return "primary";
  const { heard } = followed();
  if (!heard) return "unknown";
  const file = primaryFile();
  if (heard.isPrimary) return file === null ? "primary" : "unknown";
  return heard.hostname !== "" && file === heard.hostname ? "replica" : "unknown";
}

/** The name of the instance that may write; null where none is known. */
export function primaryInstance(): string | null {
  switch (role()) {
    case "primary":
      return currentInstance();
    case "replica":
      return followed().heard?.hostname ?? null;
    default:
      return null;
  }
}

/** What `look` says as soon as that is not "unknown", or "unknown" after `timeoutMs`: a planned hand-over takes less than that. */
export async function settledRole(timeoutMs: number, look: () => Role = role): Promise<Role> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const now = look();
    const leftMs = untilMs - performance.now();
    if (now !== "unknown" || leftMs <= 0) return now;
    // The event may come before the file is as it says: looked at again soon, too.
    await changed(Math.min(leftMs, 20));
  }
}

/** Resolves when `listeners` are called next, those of LiteFS' events unless others are given, or after `timeoutMs`. */
export function changed(
  timeoutMs: number,
  listeners: Set<() => void> = followed().listeners,
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
const GLANCE_MS = 10;

/**
 * `read`, looked at once for all who wait: a look at the mount is a synchronous call into LiteFS, and hundreds may wait at once.
 * What it says is at most ten milliseconds old, and from after the last event.
 */
export function glancer<T>(read: () => T): () => T {
  let seen:
    | { readonly atMs: number; readonly heard: unknown; readonly txid: number; readonly value: T }
    | undefined;
  return () => {
    const { heard, txid } = followed();
    const atMs = performance.now();
    if (!seen || atMs - seen.atMs >= GLANCE_MS || seen.heard !== heard || seen.txid !== txid)
      seen = { atMs, heard, txid, value: read() };
    return seen.value;
  };
}

const RECONNECT_MS = 100;

/** Begins to follow LiteFS. Once per process, before requests; does nothing without replication. */
export function startLitefs(): void {
  const state = followed();
  if (!env.REPLICATION || state.stop) return;
  const abort = new AbortController();
  state.stop = () => abort.abort();
  const database = basename(env.DATABASE_FILE);
  const on = (event: LitefsEvent) => {
    if (event.type === "tx") {
      if (event.db !== database) return;
      // Not the larger of the two: after a restore numbers begin anew.
      state.txid = Number.parseInt(event.data.txID, 16);
      state.delayMs = Math.max(0, Date.now() - Date.parse(event.data.timestamp));
    } else {
      state.heard = { isPrimary: event.data.isPrimary, hostname: event.data.hostname ?? "" };
      if (!event.data.isPrimary && !event.data.hostname) state.lostAtMs = performance.now();
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
        await litefsEvents(env.LITEFS_URL, on, abort.signal);
      } catch (error) {
        if (!abort.signal.aborted && state.heard) log("error", "litefs.lost", { error });
      }
      state.heard = null;
      for (const listener of [...state.listeners]) listener();
      if (!abort.signal.aborted) await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  })();
}

/** Ends the following. For tests and the end of the process. */
export function stopLitefs(): void {
  followed().stop?.();
  delete shared.__lecternLitefs;
}
