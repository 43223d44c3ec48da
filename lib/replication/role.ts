// Determines this instance's role in the cluster from LiteFS's events and its `.primary` file.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { resetSingleton, singleton } from "#lib/core/singleton.ts";
import { isLeaseValid } from "./lease.ts";
import { type LitefsEvent, subscribeLitefsEvents } from "./litefs-events.ts";

export type Role = "primary" | "replica" | "unknown";

interface LitefsState {
  /** null while LiteFS's event stream is down. */
  lastPrimaryEvent: { readonly isPrimary: boolean; readonly hostname: string } | null;
  /** When LiteFS last had no primary (performance.now()); null if never in this process. */
  primaryLostAtMs: number | null;
  /** The primary that LiteFS last followed, and when it named it (performance.now()). */
  lastNamedPrimary: { readonly hostname: string; readonly atMs: number } | null;
  /** The newest transaction in LiteFS's events, and its age on arrival in milliseconds. */
  lastTxid: number;
  lastTxDelayMs: number | null;
  readonly listeners: Set<() => void>;
  stop: (() => void) | null;
}

export const litefsState = (): LitefsState =>
  singleton<LitefsState>("litefs", () => ({
    lastPrimaryEvent: null,
    primaryLostAtMs: null,
    lastNamedPrimary: null,
    lastTxid: 0,
    lastTxDelayMs: null,
    listeners: new Set(),
    stop: null,
  }));

/**
 * Returns the primary's name from `.primary`; null if there is no file; undefined if it can't be
 * read, which proves nothing.
 */
function readPrimaryFile(): string | null | undefined {
  try {
    return readFileSync(join(env.FLY_LITEFS_DIR, ".primary"), "utf8").trim();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? null : undefined;
  }
}

/**
 * Returns the role; "unknown" while no primary is known and writes are refused; always "primary"
 * without replication. Events and file must agree, because the file is absent both on a primary and
 * on a replica that has lost its primary. A primary also needs a confirmed lease.
 */
export function currentRole(): Role {
  if (!env.REPLICATION) return "primary";
  const { lastPrimaryEvent } = litefsState();
  if (!lastPrimaryEvent) return "unknown";
  const file = readPrimaryFile();
  if (lastPrimaryEvent.isPrimary) return file === null && isLeaseValid() ? "primary" : "unknown";
  return lastPrimaryEvent.hostname !== "" && file === lastPrimaryEvent.hostname
    ? "replica"
    : "unknown";
}

/** Returns the name of the primary; null if unknown. */
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

/** LiteFS reconnects after a quarter of a second. */
const NAMED_MS = 1_000;

/**
 * Returns the primary that LiteFS named in the last second, even if it has lost it since; null on
 * the primary. On a full disk, LiteFS keeps reconnecting to the primary, and loses it after
 * milliseconds.
 */
export function findNamedPrimary(): string | null {
  const { lastPrimaryEvent, lastNamedPrimary } = litefsState();
  if (!lastPrimaryEvent || lastPrimaryEvent.isPrimary || !lastNamedPrimary) return null;
  return performance.now() - lastNamedPrimary.atMs < NAMED_MS ? lastNamedPrimary.hostname : null;
}

/**
 * Resolves to the first role other than "unknown" that `readRole` returns, or to "unknown" after
 * `timeoutMs`.
 */
export async function waitForKnownRole(
  timeoutMs: number,
  readRole: () => Role = currentRole,
): Promise<Role> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const role = readRole();
    const leftMs = untilMs - performance.now();
    if (role !== "unknown" || leftMs <= 0) return role;
    // Poll in addition to the events, because an event can arrive before its file.
    await nextChange(Math.min(leftMs, 20));
  }
}

/**
 * Resolves when `listeners` (by default those of LiteFS's events) are next called, or after
 * `timeoutMs`.
 */
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

const CACHE_MS = 10;

/**
 * Wraps `read` in a cache that lasts CACHE_MS or until the next event. Reading the mount is a
 * synchronous call into LiteFS, and hundreds of requests can be waiting.
 */
export function cachedFor<T>(read: () => T): () => T {
  let cached:
    | { readonly atMs: number; readonly event: unknown; readonly txid: number; readonly value: T }
    | undefined;
  return () => {
    const { lastPrimaryEvent, lastTxid } = litefsState();
    const atMs = performance.now();
    if (
      !cached ||
      atMs - cached.atMs >= CACHE_MS ||
      cached.event !== lastPrimaryEvent ||
      cached.txid !== lastTxid
    )
      cached = { atMs, event: lastPrimaryEvent, txid: lastTxid, value: read() };
    return cached.value;
  };
}

const RECONNECT_DELAY_MS = 100;

/**
 * Subscribes to LiteFS's events, once per process, and reconnects. Does nothing without
 * replication.
 */
export function startWatchingLitefs(): void {
  const state = litefsState();
  if (!env.REPLICATION || state.stop) return;
  const abort = new AbortController();
  state.stop = () => abort.abort();
  const database = basename(env.DATABASE_FILE);
  const on = (event: LitefsEvent) => {
    if (event.type === "tx") {
      if (event.db !== database) return;
      // Not the maximum, because txids restart after a restore.
      state.lastTxid = Number.parseInt(event.data.txID, 16);
      state.lastTxDelayMs = Math.max(0, Date.now() - Date.parse(event.data.timestamp));
    } else {
      state.lastPrimaryEvent = {
        isPrimary: event.data.isPrimary,
        hostname: event.data.hostname ?? "",
      };
      const atMs = performance.now();
      const { isPrimary, hostname } = event.data;
      if (!isPrimary && hostname) state.lastNamedPrimary = { hostname, atMs };
      else if (!isPrimary) state.primaryLostAtMs = atMs;
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
        // oxlint-disable-next-line lectern/no-swallowed-replay -- runs outside of requests
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

/** Unsubscribes. For tests. */
export function stopWatchingLitefs(): void {
  litefsState().stop?.();
  resetSingleton("litefs");
}
