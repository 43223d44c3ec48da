// The lease between the nodes: the primary gives signs of life beside it, and a standby watches them.
// Consul ends a session up to twice its TTL after the last renewal. LiteFS gives its lease up by itself once it could not
// renew it for the TTL. So whoever hears nothing of the primary for the TTL, neither from itself nor through Consul,
// may end its session: what the lease promises holds, and writes are back ten seconds earlier.

import { basename } from "node:path";
import type { Consul } from "#server/consul.ts";
import { type LitefsNodeState, fetchLitefsNodeState } from "#lib/replication/litefs-node-state.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";

const HEARTBEAT_INTERVAL_MS = 500;
/**
 * A standby that lacks what the primary had this long before its last sign must not take over by itself. Far longer than replication
 * takes, so that no ordinary death of a primary is held up; and with the beat's own interval shorter than the two seconds after which a
 * durable write is acknowledged without the standby (lib/db/database.ts), so that such a write is needed by then.
 */
const REQUIRED_TXID_AGE_MS = 1_000;
/** Silence of the primary after which a standby asks what it would lose. Shorter than the shortest TTL by what a restart takes. */
const SUSPECT_AFTER_MS = 3_000;
const REQUEST_TIMEOUT_MS = 1_000;
/** A lease is in this node's name and its LiteFS is not the primary: for longer than it takes to become it, or to hand it over. */
const OWN_LEASE_GRACE_MS = 2_000;
/** A standby that lacks what the primary says it has for this long is none. Far longer than any hiccup of the network. */
const MAX_BEHIND_MS = 15_000;

export interface LeaseWatch {
  /** To be called often on the primary. */
  tickAsPrimary(own: LitefsNodeState): Promise<void>;
  /** To be called often on a candidate that is not. "behind": it must not become the primary as it is. */
  tickAsStandby(own: LitefsNodeState): Promise<"on" | "behind">;
}

export function createLeaseWatch(settings: Settings, consul: Consul): LeaseWatch {
  let beatMs = -Infinity;
  /** What this node had as the primary, and when; the first is what its successor needs. */
  let had: { readonly txid: number; readonly atMs: number }[] = [];
  let silentSinceMs: number | null = null;
  let behindSinceMs: number | null = null;
  let heard = "";
  let mine: { session: string; sinceMs: number } | null = null;

  /**
   * After a Consul that was away for longer than the TTL LiteFS has given the lease up, and can't have it again: its own session
   * still holds it, for up to twice the TTL from Consul's return on.
   */
  async function endOwn(session: string): Promise<void> {
    const nowMs = performance.now();
    if (mine?.session !== session) mine = { session, sinceMs: nowMs };
    if (nowMs - mine.sinceMs < OWN_LEASE_GRACE_MS) return;
    mine = null;
    logEvent("warn", "launch.own_lease_ended", {
      session,
      why: "LiteFS gave it up while Consul could not be reached",
    });
    await consul
      .destroySession(session)
      .catch((error: unknown) => logEvent("warn", "launch.lease_kept", { error }));
  }

  return {
    async tickAsPrimary(own) {
      silentSinceMs = behindSinceMs = mine = null;
      const nowMs = performance.now();
      if (nowMs - beatMs < HEARTBEAT_INTERVAL_MS || !own.position) return;
      beatMs = nowMs;
      had.push({ txid: own.position.txid, atMs: nowMs });
      while (had[1] && had[1].atMs <= nowMs - REQUIRED_TXID_AGE_MS) had.shift();
      await consul
        .sendHeartbeat(settings.instance, own.position.txid, had[0]!.txid)
        .catch(() => undefined);
    },

    async tickAsStandby(own) {
      had = [];
      const known = await Promise.all([consul.findLease(), consul.findHeartbeat()]).catch(
        () => null,
      );
      const [lease, beat] = known ?? [null, null];
      if (lease?.session && lease.hostname === settings.instance) await endOwn(lease.session);
      else mine = null;
      // Without Consul, without a lease or without signs of its owner nothing can be told from silence.
      if (
        !lease?.session ||
        lease.hostname === settings.instance ||
        beat?.instance !== lease.hostname
      ) {
        silentSinceMs = behindSinceMs = null;
        return "on";
      }
      const other = await fetchLitefsNodeState(
        lease.advertiseUrl,
        basename(settings.databaseFile),
        REQUEST_TIMEOUT_MS,
      ).catch(() => null);
      const nowMs = performance.now();
      const sign = `${lease.session} ${beat.index}`;
      if (other || sign !== heard || silentSinceMs === null) {
        silentSinceMs = nowMs;
        heard = sign;
      } else if (nowMs - silentSinceMs > settings.lease.ttlMs) {
        logEvent("error", "launch.lease_ended", {
          of: lease.hostname,
          why: `no sign of it for ${settings.lease.ttl}, neither from itself nor through Consul`,
        });
        await consul
          .destroySession(lease.session)
          .catch((error: unknown) => logEvent("warn", "launch.lease_kept", { error }));
        silentSinceMs = null;
      }
      if ((own.position?.txid ?? 0) >= beat.needed) {
        behindSinceMs = null;
        return "on";
      }
      behindSinceMs ??= nowMs;
      const isSilent = silentSinceMs !== null && nowMs - silentSinceMs >= SUSPECT_AFTER_MS;
      if (!isSilent && nowMs - behindSinceMs < MAX_BEHIND_MS) return "on";
      logEvent("error", "launch.standby_behind", {
        own: own.position?.txid ?? 0,
        primary: beat.txid,
        of: lease.hostname,
        is_silent: isSilent,
      });
      return "behind";
    },
  };
}
