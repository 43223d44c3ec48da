// Tracks how far each standby (failover candidate) has replicated this primary's commits. LiteFS's
// leader election ignores positions, so a durable write waits for all connected standbys
// (docs/decisions/022-durable-writes.md).

import { basename } from "node:path";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { resetSingleton, singleton } from "#lib/core/singleton.ts";
import { subscribeLitefsEvents } from "./litefs-events.ts";
import { NO_POSITION, type Position, fetchLitefsNodeState } from "./litefs-node-state.ts";
import { type Peer, listPeers, peerLitefsUrl } from "./peers.ts";
import { readPosition } from "./position.ts";
import { nextChange, currentRole } from "./role.ts";

interface Standby {
  /** The newest position it has reported; transaction 0 before the first report. */
  position: Position;
  /** True after a timeout: no write waits for it until it reports again. */
  isStalled: boolean;
  /** Its transaction at the last staleness check. */
  lastCheckedTxid: number;
  /** Checks in a row without a response. */
  missedChecks: number;
  readonly url: string;
  readonly stop: () => void;
}

const REFRESH_INTERVAL_MS = 2_000;
const REQUEST_TIMEOUT_MS = 2_000;
/** A machine that is gone does not end its stream. */
const MAX_MISSED_CHECKS = 5;
/** More than the number of commits while a durable write waits. */
const MAX_RECENT_COMMITS = 1_000;

const sharedState = () =>
  singleton(
    "standbys",
    (): {
      readonly all: Map<string, Standby>;
      /** Checksums of this primary's latest commits, by transaction number. */
      readonly commits: Map<number, string>;
      readonly connecting: Set<string>;
      readonly listeners: Set<() => void>;
      timer: NodeJS.Timeout | null;
    } => ({
      all: new Map(),
      commits: new Map(),
      connecting: new Set(),
      listeners: new Set(),
      timer: null,
    }),
  );

/** Returns the position of the LiteFS at `url`. Rejects if LiteFS does not respond. */
const fetchPosition = async (url: string) =>
  (await fetchLitefsNodeState(url, basename(env.DATABASE_FILE), { timeoutMs: REQUEST_TIMEOUT_MS }))
    .position ?? NO_POSITION;

/** Tracks one standby until its event stream ends. Ignores nodes that are not candidates. */
async function watchStandby(peer: Peer): Promise<void> {
  const { all, listeners } = sharedState();
  const url = peerLitefsUrl(peer);
  const database = basename(env.DATABASE_FILE);
  const state = await fetchLitefsNodeState(url, database, { timeoutMs: REQUEST_TIMEOUT_MS }).catch(
    () => null,
  );
  if (!state?.isCandidate) return;
  const abort = new AbortController();
  const standby: Standby = {
    position: NO_POSITION,
    isStalled: false,
    lastCheckedTxid: -1,
    missedChecks: 0,
    url,
    stop: () => abort.abort(),
  };
  const report = (position: Position) => {
    standby.position = position;
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
          // Transactions before the subscription send no event.
          void fetchPosition(url).then(
            (position) => position.txid > standby.position.txid && report(position),
            () => undefined,
          );
        } else if (event.type === "tx" && event.db === database) {
          report({
            txid: Number.parseInt(event.data.txID, 16),
            checksum: event.data.postApplyChecksum,
          });
        }
      },
      abort.signal,
    );
    // oxlint-disable-next-line lectern/no-swallowed-replay -- runs outside of requests
  } catch (error) {
    if (!abort.signal.aborted) log("warn", "standby.lost", { standby: peer.instance, error });
  } finally {
    if (all.get(peer.instance) === standby) all.delete(peer.instance);
    for (const listener of [...listeners]) listener();
  }
}

/**
 * Reads the standby's position directly, and drops its stream if the standby is silent, or if the
 * stream lacks what it has. The next refresh subscribes again.
 */
async function checkStandby(standby: Standby): Promise<void> {
  const wasSilent = standby.lastCheckedTxid === standby.position.txid;
  standby.lastCheckedTxid = standby.position.txid;
  const position = await fetchPosition(standby.url).catch(() => null);
  standby.missedChecks = position ? 0 : standby.missedChecks + 1;
  const isStale =
    position !== null && position.txid > standby.position.txid && standby.isStalled && wasSilent;
  if (isStale || standby.missedChecks >= MAX_MISSED_CHECKS) standby.stop();
}

async function refreshStandbys(): Promise<void> {
  const { all, connecting } = sharedState();
  if (currentRole() !== "primary") {
    for (const standby of all.values()) standby.stop();
    return;
  }
  for (const standby of all.values()) void checkStandby(standby);
  for (const peer of await listPeers()) {
    if (peer.region !== env.PRIMARY_REGION || connecting.has(peer.instance)) continue;
    connecting.add(peer.instance);
    void watchStandby(peer).finally(() => connecting.delete(peer.instance));
  }
}

/**
 * Starts tracking standbys while this instance is the primary, once per process. Does nothing
 * without replication.
 */
export function startWatchingStandbys(): void {
  const state = sharedState();
  if (!env.REPLICATION || state.timer) return;
  const run = () =>
    void refreshStandbys().catch((error: unknown) => log("warn", "standby.not_found", { error }));
  run();
  state.timer = setInterval(run, REFRESH_INTERVAL_MS);
  state.timer.unref();
}

/** Stops tracking. For tests. */
export function stopWatchingStandbys(): void {
  const { all, timer } = sharedState();
  if (timer) clearInterval(timer);
  for (const standby of all.values()) standby.stop();
  resetSingleton("standbys");
}

/** Returns the connected standbys with their positions; empty unless this is the primary. */
export function listStandbys(): {
  readonly instance: string;
  readonly txid: number;
  readonly isStalled: boolean;
}[] {
  return [...sharedState().all].map(([instance, { position, isStalled }]) => ({
    instance,
    txid: position.txid,
    isStalled,
  }));
}

/** Records the position after a commit on this primary. Call it before the next commit. */
export function recordCommit({ txid, checksum }: Position): void {
  const { commits } = sharedState();
  // These commits are from an earlier term as the primary. Another primary has discarded them.
  if (commits.has(txid + 1)) commits.clear();
  commits.set(txid, checksum);
  const [oldest] = commits.keys();
  if (commits.size > MAX_RECENT_COMMITS) commits.delete(oldest!);
}

/**
 * Returns true if the standby has this primary's transaction. The number alone is not enough: a
 * former primary that returns may have its own transactions with the same numbers until LiteFS
 * discards them.
 */
function hasTransaction(standby: Position, { txid, checksum }: Position): boolean {
  if (standby.txid <= txid) return standby.txid === txid && standby.checksum === checksum;
  const known = sharedState().commits.get(standby.txid);
  if (known !== undefined) return standby.checksum === known;
  // Another process committed it, such as the one that runs migrations.
  const current = readPosition();
  return current?.txid === standby.txid && current.checksum === standby.checksum;
}

/**
 * Waits until every connected standby has the transaction of `position`, then returns "replicated".
 * Returns "timed_out" if one lacks it after `timeoutMs`, and later writes skip that one until it
 * reports again. Returns "no_standby" if none is connected, so only this machine has it.
 */
export async function waitForStandby(
  position: Position,
  timeoutMs: number,
): Promise<"replicated" | "timed_out" | "no_standby"> {
  const { all, listeners } = sharedState();
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const awaited = [...all.values()].filter(({ isStalled }) => !isStalled);
    if (awaited.length === 0) return all.size === 0 ? "no_standby" : "timed_out";
    const behind = awaited.filter((each) => !hasTransaction(each.position, position));
    if (behind.length === 0) return "replicated";
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) {
      for (const standby of behind) standby.isStalled = true;
      return "timed_out";
    }
    await nextChange(leftMs, listeners);
  }
}
