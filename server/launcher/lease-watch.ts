// Speeds up failover: the primary sends heartbeats through Consul, and a standby ends the session of a silent one.
// Consul expires a session up to twice its TTL late, but LiteFS gives the lease up after the TTL. So a standby without a
// heartbeat for the TTL may end the session: no two primaries, and writes resume ten seconds earlier.

import { basename } from "node:path";
import type { Consul } from "#server/consul.ts";
import { type LitefsNodeState, fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";

const HEARTBEAT_INTERVAL_MS = 500;
/**
 * A standby that lacks what the primary had this long before its last heartbeat must not take over by itself. Far longer than
 * replication takes. Shorter than the timeout of a durable write (lib/db/database.ts), so that such a write counts.
 */
const REQUIRED_TXID_AGE_MS = 1_000;
/** Silence after which a standby that lags stops being a candidate. Shorter than the TTL by the time of a restart. */
const SUSPECT_AFTER_MS = 3_000;
const REQUEST_TIMEOUT_MS = 1_000;
/** How long LiteFS may hold a lease without being primary: longer than a promotion or a handover takes. */
const OWN_LEASE_GRACE_MS = 2_000;
/** A standby that lags longer than this is no longer failover-eligible. Far longer than a network hiccup. */
const MAX_BEHIND_MS = 15_000;

export interface LeaseWatch {
  /** Called every poll on the primary. */
  tickAsPrimary(local: LitefsNodeState): Promise<void>;
  /** Called every poll on any other candidate. "behind": it must not become the primary. */
  tickAsStandby(local: LitefsNodeState): Promise<"ok" | "behind">;
}

export function createLeaseWatch(settings: Settings, consul: Consul): LeaseWatch {
  let lastHeartbeatMs = -Infinity;
  /** Positions of this node as the primary; its successor needs the first. */
  let positions: { readonly txid: number; readonly atMs: number }[] = [];
  let silentSinceMs: number | null = null;
  let behindSinceMs: number | null = null;
  let lastSign = "";
  let ownLease: { session: string; sinceMs: number } | null = null;

  /**
   * After an outage of Consul longer than the TTL, LiteFS has given the lease up but can't take it again: its old session holds
   * it for up to twice the TTL.
   */
  async function releaseOwnLease(session: string): Promise<void> {
    const nowMs = performance.now();
    if (ownLease?.session !== session) ownLease = { session, sinceMs: nowMs };
    if (nowMs - ownLease.sinceMs < OWN_LEASE_GRACE_MS) return;
    ownLease = null;
    logEvent("warn", "launcher.own_lease_ended", {
      session,
      reason: "LiteFS gave it up while Consul was unreachable",
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
      // Without Consul, a lease or its owner's heartbeats, silence proves nothing.
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
