// Whether what the primary commits is on the machine that would take its place.
// LiteFS elects among candidates without comparing how far they are. So a write that must not be lost counts as made
// when every connected candidate has it: see docs/decisions/022-durable-writes.md.

import { basename } from "node:path";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { resetSingleton, singleton } from "#lib/core/singleton.ts";
import { subscribeLitefsEvents } from "./litefs-events.ts";
import { fetchLitefsNodeState } from "./litefs-node-state.ts";
import { type Peer, listPeers, peerLitefsUrl } from "./peers.ts";
import { nextChange, currentRole } from "./role.ts";

interface Standby {
  /** The newest transaction that it reported; 0 before the first. */
  txid: number;
  /** It did not answer in time once: nobody waits for it again until it reports something. */
  isStalled: boolean;
  /** What it had reported when it was looked at last. */
  lastCheckedTxid: number;
  readonly url: string;
  readonly stop: () => void;
}

const REFRESH_INTERVAL_MS = 2_000;
const REQUEST_TIMEOUT_MS = 2_000;

const sharedState = () =>
  singleton(
    "standbys",
    (): {
      readonly all: Map<string, Standby>;
      readonly asked: Set<string>;
      readonly listeners: Set<() => void>;
      timer: NodeJS.Timeout | null;
    } => ({
      all: new Map(),
      asked: new Set(),
      listeners: new Set(),
      timer: null,
    }),
  );

/** The newest transaction of the LiteFS at `url`; 0 without one. Rejects when it does not answer. */
const fetchTxid = async (url: string) =>
  (await fetchLitefsNodeState(url, basename(env.DATABASE_FILE), REQUEST_TIMEOUT_MS)).position
    ?.txid ?? 0;

/** Follows one candidate until its stream ends. */
async function watchStandby(peer: Peer): Promise<void> {
  const { all, listeners } = sharedState();
  const url = peerLitefsUrl(peer);
  const database = basename(env.DATABASE_FILE);
  const found = await fetchLitefsNodeState(url, database, REQUEST_TIMEOUT_MS).catch(() => null);
  if (!found?.isCandidate) return;
  const abort = new AbortController();
  const standby: Standby = {
    txid: 0,
    isStalled: false,
    lastCheckedTxid: -1,
    url,
    stop: () => abort.abort(),
  };
  const report = (txid: number) => {
    standby.txid = txid;
    standby.isStalled = false;
    for (const listener of [...listeners]) listener();
  };
  try {
    await subscribeLitefsEvents(
      url,
      (event) => {
        if (event.type === "init") {
          all.set(peer.instance, standby);
          log("info", "standby.connected", { standby: peer.instance });
          // What it has already it does not report any more.
          void fetchTxid(url).then(
            (txid) => txid > standby.txid && report(txid),
            () => undefined,
          );
        } else if (event.type === "tx" && event.db === database) {
          report(Number.parseInt(event.data.txID, 16));
        }
      },
      abort.signal,
    );
  } catch (error) {
    if (!abort.signal.aborted) log("warn", "standby.lost", { standby: peer.instance, error });
  } finally {
    if (all.get(peer.instance) === standby) all.delete(peer.instance);
    for (const listener of [...listeners]) listener();
  }
}

/**
 * Ends the stream of a standby that has gone on without its stream saying so: a machine that lost its power closes no connection, and
 * the one that comes in its place would be waited for in vain. The next look follows it anew.
 */
async function dropStaleStream(standby: Standby): Promise<void> {
  const wasSilent = standby.lastCheckedTxid === standby.txid;
  standby.lastCheckedTxid = standby.txid;
  if (!wasSilent) return;
  const txid = await fetchTxid(standby.url).catch(() => null);
  if (txid !== null && txid > standby.txid && standby.isStalled) standby.stop();
}

async function refreshStandbys(): Promise<void> {
  const { all, asked } = sharedState();
  if (currentRole() !== "primary") {
    for (const standby of all.values()) standby.stop();
    return;
  }
  for (const standby of all.values()) if (standby.isStalled) void dropStaleStream(standby);
  for (const peer of await listPeers()) {
    if (peer.region !== env.PRIMARY_REGION || asked.has(peer.instance)) continue;
    asked.add(peer.instance);
    void watchStandby(peer).finally(() => asked.delete(peer.instance));
  }
}

/** Begins to follow the candidates while this instance is the primary. Once per process; does nothing without replication. */
export function startWatchingStandbys(): void {
  const own = sharedState();
  if (!env.REPLICATION || own.timer) return;
  const run = () =>
    void refreshStandbys().catch((error: unknown) => log("warn", "standby.not_found", { error }));
  run();
  own.timer = setInterval(run, REFRESH_INTERVAL_MS);
  own.timer.unref();
}

/** Ends the following. For tests and the end of the process. */
export function stopWatchingStandbys(): void {
  const own = sharedState();
  if (own.timer) clearInterval(own.timer);
  for (const standby of own.all.values()) standby.stop();
  resetSingleton("standbys");
}

/** The candidates that are connected now, and how far each is. On the primary only; empty elsewhere. */
export function listStandbys(): {
  readonly instance: string;
  readonly txid: number;
  readonly isStalled: boolean;
}[] {
  return [...sharedState().all].map(([instance, { txid, isStalled }]) => ({
    instance,
    txid,
    isStalled,
  }));
}

/**
 * Waits until every connected candidate has transaction `txid`: "held". "late" when one has not after `timeoutMs` (it is not
 * waited for again until it reports something), "alone" when none is connected: then only this machine has it.
 */
export async function waitForStandby(
  txid: number,
  timeoutMs: number,
): Promise<"held" | "late" | "alone"> {
  const { all, listeners } = sharedState();
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const awaited = [...all.values()].filter(({ isStalled }) => !isStalled);
    if (awaited.length === 0) return all.size === 0 ? "alone" : "late";
    const behind = awaited.filter((each) => each.txid < txid);
    if (behind.length === 0) return "held";
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) {
      for (const standby of behind) standby.isStalled = true;
      return "late";
    }
    await nextChange(leftMs, listeners);
  }
}
