// Speeds up failover: the primary sends heartbeats through Consul, and a standby ends the session
// of a silent primary. Consul may take twice the TTL to expire a session, but LiteFS gives up the
// lease after the TTL. So a standby may end the session after a TTL without heartbeats: there are
// never two primaries, and writes resume ten seconds earlier.

import { basename } from "node:path";
import type { Consul } from "#server/consul.ts";
import { type LitefsNodeState, fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";

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
  /** Called on every poll on the primary. */
  tickAsPrimary(local: LitefsNodeState): Promise<void>;
  /**
   * Called on every poll on other candidates. Returns "behind" if this node must not become the
   * primary.
   */
  tickAsStandby(local: LitefsNodeState): Promise<"ok" | "behind">;
}

export function createLeaseWatch(settings: Settings, consul: Consul): LeaseWatch {
  let lastHeartbeatMs = -Infinity;
  /** This node's positions as the primary. Its successor needs the first of them. */
  let positions: { readonly txid: number; readonly atMs: number }[] = [];
  let silentSinceMs: number | null = null;
  let behindSinceMs: number | null = null;
  let lastSign = "";
  let ownLease: { session: string; sinceMs: number } | null = null;

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

  return {
    async tickAsPrimary(local) {
      silentSinceMs = behindSinceMs = ownLease = null;
      const nowMs = performance.now();
      if (nowMs - lastHeartbeatMs < HEARTBEAT_INTERVAL_MS || !local.position) return;
      lastHeartbeatMs = nowMs;
      positions.push({ txid: local.position.txid, atMs: nowMs });
      while (positions[1] && positions[1].atMs <= nowMs - REQUIRED_TXID_AGE_MS) positions.shift();
      await consul
        .sendHeartbeat(settings.instance, local.position.txid, positions[0]!.txid)
        .catch(() => undefined);
    },

    async tickAsStandby(local) {
      positions = [];
      const state = await Promise.all([consul.findLease(), consul.findHeartbeat()]).catch(
        () => null,
      );
      const [lease, heartbeat] = state ?? [null, null];
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
        REQUEST_TIMEOUT_MS,
      ).catch(() => null);
      const nowMs = performance.now();
      const sign = `${lease.session} ${heartbeat.index}`;
      if (primary || sign !== lastSign || silentSinceMs === null) {
        silentSinceMs = nowMs;
        lastSign = sign;
      } else if (nowMs - silentSinceMs > settings.lease.ttlMs) {
        logEvent("error", "launcher.lease_ended", {
          of: lease.hostname,
          reason: `no heartbeat for ${settings.lease.ttl}, neither directly nor through Consul`,
        });
        await consul
          .destroySession(lease.session)
          .catch((error: unknown) => logEvent("warn", "launcher.lease_kept", { error }));
        silentSinceMs = null;
      }
      if ((local.position?.txid ?? 0) >= heartbeat.needed) {
        behindSinceMs = null;
        return "ok";
      }
      behindSinceMs ??= nowMs;
      const isSilent = silentSinceMs !== null && nowMs - silentSinceMs >= SUSPECT_AFTER_MS;
      if (!isSilent && nowMs - behindSinceMs < MAX_BEHIND_MS) return "ok";
      logEvent("error", "launcher.standby_behind", {
        local: local.position?.txid ?? 0,
        primary: heartbeat.txid,
        of: lease.hostname,
        is_silent: isSilent,
      });
      return "behind";
    },
  };
}
