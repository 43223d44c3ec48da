// Speeds up failover: the primary sends heartbeats through Consul, and a standby ends the session
// of a silent primary. Consul may take twice the TTL to expire a session, but LiteFS gives up the
// lease after the TTL. So a standby may end the session after a TTL without heartbeats: there are
// never two primaries, and writes resume ten seconds earlier. Each heartbeat also confirms to the
// primary's site that it still holds the lease (lib/replication/lease.ts).

import { Agent } from "node:http";
import { basename } from "node:path";
import type { Consul, Lease } from "#server/consul.ts";
import { monotonicMs } from "#lib/replication/lease.ts";
import {
  type LitefsNodeState,
  NO_POSITION,
  type Position,
  fetchLitefsNodeState,
} from "#lib/replication/litefs-node-state.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";
import { hasTransaction } from "#server/supervisor/litefs-store.ts";

const HEARTBEAT_INTERVAL_MS = 500;
/**
 * A standby must have what the primary had this long before its last heartbeat, or it must not take
 * over by itself. Far longer than replication takes, but shorter than the timeout of a durable
 * write (lib/db/database.ts), so that such a write counts.
 */
const REQUIRED_TXID_AGE_MS = 1_000;
/**
 * Silence of the primary after which a lagging standby stops being a candidate. Shorter than the
 * TTL, to leave time for a restart.
 */
const SUSPECT_AFTER_MS = 3_000;
const REQUEST_TIMEOUT_MS = 1_000;
/**
 * How long LiteFS may hold the lease without being the primary; longer than a promotion or handover
 * takes.
 */
const OWN_LEASE_GRACE_MS = 2_000;
/**
 * A standby that lags longer than this is no longer failover-eligible. Far longer than a network
 * hiccup.
 */
const MAX_BEHIND_MS = 15_000;

export interface LeaseWatch {
  /**
   * Resolves to true once no node without `position` can become the primary; false if the
   * lease is lost, or Consul does not respond.
   */
  confirmPosition(position: Position): Promise<boolean>;
  /**
   * Called on every poll on the primary. After a promotion, opens the fence without asking Consul:
   * LiteFS took the lease after the last poll that found a standby. Heartbeats, which replace the
   * former primary's, wait until `reported` is settled.
   */
  tickAsPrimary(local: LitefsNodeState, reported: Promise<unknown>): Promise<void>;
  /**
   * Called on every poll on other candidates, which began at `polledMs` by monotonicMs(). Returns
   * "behind" if this node must not become the primary.
   */
  tickAsStandby(local: LitefsNodeState, polledMs: number): Promise<"ok" | "behind">;
}

/** `onLease` is called with the time until which this node holds the lease, by monotonicMs(). */
export function createLeaseWatch(
  settings: Settings,
  consul: Consul,
  onLease: (validUntilMs: number) => void,
): LeaseWatch {
  let lastHeartbeatMs = -Infinity;
  /** This node's positions as the primary. Its successor needs the first of them. */
  let positions: (Position & { readonly atMs: number })[] = [];
  /** The newest position passed to confirmPosition(). */
  let requestedPosition: Position = NO_POSITION;
  let isPrimary = false;
  let lastConfirmedMs = -Infinity;
  let lastStandbyMs = 0;
  let sending: Promise<unknown> = Promise.resolve();
  let silentSinceMs: number | null = null;
  let behindSinceMs: number | null = null;
  let lastHeartbeatKey = "";
  let ownLease: { session: string; sinceMs: number } | null = null;
  /** Keeps one connection to the primary. If it breaks, one poll fails, and the next reconnects. */
  const agent = new Agent({ keepAlive: true });
  let lastVerdict: { readonly atMs: number; readonly value: "ok" | "behind" } | null = null;

  /**
   * Ends our own stale session. After a Consul outage longer than the TTL, LiteFS has given up the
   * lease but can't take it again, because its old session holds it for up to twice the TTL.
   */
  async function releaseOwnLease(session: string): Promise<void> {
    const nowMs = performance.now();
    if (ownLease?.session !== session) ownLease = { session, sinceMs: nowMs };
    if (nowMs - ownLease.sinceMs < OWN_LEASE_GRACE_MS) return;
    ownLease = null;
    logEvent("warn", "launcher.own_lease_ended", {
      session,
      reason: "LiteFS gave up the lease while Consul was unreachable",
    });
    await consul
      .destroySession(session)
      .catch((error: unknown) => logEvent("warn", "launcher.lease_kept", { error }));
  }

  const isOwnLease = (lease: Lease | null) =>
    lease?.session != null && lease.hostname === settings.instance;

  /**
   * Sends a heartbeat, one at a time, then reads the lease. If this node still has it, a successor
   * finds the heartbeat. Standbys end the session one TTL after the heartbeat, at the earliest.
   */
  function confirm(): Promise<boolean> {
    const confirmed = sending.then(async () => {
      const [needed, newest] = [positions[0], positions.at(-1)];
      if (!isPrimary || !needed || !newest) return false;
      const sentMs = monotonicMs();
      // After a freeze, the heartbeat may be another primary's. A new primary was a standby until now.
      const wasFrozen =
        sentMs - Math.max(lastConfirmedMs, lastStandbyMs) > settings.lease.ttlMs / 2;
      let isOwn = !wasFrozen || isOwnLease(await consul.findLease({ isConsistent: true }));
      if (isOwn && isPrimary) {
        await consul.sendHeartbeat(
          settings.instance,
          Math.max(newest.txid, requestedPosition.txid),
          requestedPosition.txid > needed.txid ? requestedPosition : needed,
        );
        isOwn = isOwnLease(await consul.findLease({ isConsistent: true }));
      }
      // A poll may have found in the meantime that this node is no longer the primary.
      isOwn &&= isPrimary;
      if (isOwn) lastConfirmedMs = sentMs;
      onLease(isOwn ? sentMs + settings.lease.ttlMs : 0);
      return isOwn;
    });
    sending = confirmed.catch(() => undefined);
    return confirmed;
  }

  /** Ends the session of a primary whose newest heartbeat is still the one that was seen. */
  async function endLease({ hostname, session }: Lease, seenIndex: number): Promise<void> {
    try {
      if ((await consul.findHeartbeat())?.index !== seenIndex || !session) return;
      logEvent("error", "launcher.lease_ended", {
        of: hostname,
        reason: `no heartbeat for ${settings.lease.ttl}, neither directly nor through Consul`,
      });
      await consul.destroySession(session);
    } catch (error) {
      logEvent("warn", "launcher.lease_kept", { error });
    }
  }

  /**
   * Returns true if this node has lacked a required transaction for that long. It must then stop
   * being a candidate also while Consul is unreachable, because the lease may be free afterwards.
   */
  const isBehindFor = (ms: number) =>
    behindSinceMs !== null && performance.now() - behindSinceMs >= ms;

  async function judgeStandby(local: LitefsNodeState): Promise<"ok" | "behind"> {
    const state = await Promise.all([consul.findLease(), consul.findHeartbeat()]).catch(() => null);
    if (!state) return isBehindFor(SUSPECT_AFTER_MS) ? "behind" : "ok";
    const [lease, heartbeat] = state;
    if (lease?.session && lease.hostname === settings.instance)
      await releaseOwnLease(lease.session);
    else ownLease = null;
    // Silence proves nothing without Consul, a lease, or heartbeats of its owner.
    if (
      !lease?.session ||
      lease.hostname === settings.instance ||
      heartbeat?.instance !== lease.hostname
    ) {
      silentSinceMs = behindSinceMs = null;
      return "ok";
    }
    const primary = await fetchLitefsNodeState(
      lease.advertiseUrl,
      basename(settings.databaseFile),
      { timeoutMs: REQUEST_TIMEOUT_MS, agent },
    ).catch(() => null);
    const nowMs = performance.now();
    const heartbeatKey = `${lease.session} ${heartbeat.index}`;
    if (primary?.isPrimary || heartbeatKey !== lastHeartbeatKey || silentSinceMs === null) {
      silentSinceMs = nowMs;
      lastHeartbeatKey = heartbeatKey;
    } else if (nowMs - silentSinceMs > settings.lease.ttlMs) {
      await endLease(lease, heartbeat.index);
      silentSinceMs = null;
    }
    const name = basename(settings.databaseFile);
    const txid = local.position?.txid ?? 0;
    if (hasTransaction(settings.storeDir, name, txid, heartbeat.needed)) {
      behindSinceMs = null;
      return "ok";
    }
    behindSinceMs ??= nowMs;
    const isSilent = silentSinceMs !== null && nowMs - silentSinceMs >= SUSPECT_AFTER_MS;
    if (!isSilent && nowMs - behindSinceMs < MAX_BEHIND_MS) return "ok";
    logEvent("error", "launcher.standby_behind", {
      local: txid,
      primary: heartbeat.txid,
      of: lease.hostname,
      is_silent: isSilent,
    });
    return "behind";
  }

  function resign(): void {
    if (isPrimary) onLease(0);
    isPrimary = false;
    positions = [];
    requestedPosition = NO_POSITION;
  }

  return {
    confirmPosition(position) {
      if (position.txid > requestedPosition.txid) requestedPosition = position;
      // Retries once, so that one slow response doesn't cause a write to be refused.
      return confirm().catch(confirm);
    },

    async tickAsPrimary(local, reported) {
      silentSinceMs = behindSinceMs = ownLease = lastVerdict = null;
      const nowMs = performance.now();
      if (!isPrimary && local.position) {
        isPrimary = true;
        positions = [{ ...local.position, atMs: nowMs }];
        sending = sending.then(() => reported);
        if (lastStandbyMs > 0) onLease(lastStandbyMs + settings.lease.ttlMs);
      }
      await reported;
      if (nowMs - lastHeartbeatMs < HEARTBEAT_INTERVAL_MS || !local.position) return;
      lastHeartbeatMs = nowMs;
      // After a restore, transactions start again at 1. A newer one may have been passed to
      // confirmPosition() since `local` was read.
      if (local.position.txid < (positions.at(-1)?.txid ?? 0)) {
        requestedPosition = NO_POSITION;
        positions = [];
      }
      positions.push({ ...local.position, atMs: nowMs });
      while (positions[1] && positions[1].atMs <= nowMs - REQUIRED_TXID_AGE_MS) positions.shift();
      await confirm().catch(() => undefined);
    },

    async tickAsStandby(local, polledMs) {
      resign();
      lastStandbyMs = polledMs;
      const atMs = performance.now();
      if (!lastVerdict || atMs - lastVerdict.atMs >= HEARTBEAT_INTERVAL_MS)
        lastVerdict = { atMs, value: await judgeStandby(local) };
      return lastVerdict.value;
    },
  };
}
