// Decides whether this node is a candidate in the leader election, so that a failover may choose it.
// LiteFS elects any candidate, however stale, so a node may be one only if it has caught up.

import type { StoreState } from "./litefs-store.ts";

export interface CandidacyFacts {
  readonly instance: string;
  readonly isInPrimaryRegion: boolean;
  readonly store: StoreState;
  /** False if the store lacks the transaction that the last heartbeat requires of a successor. */
  readonly hasNeeded: boolean;
  /** True if the launcher just saw this store at the primary's position. */
  readonly wasCaughtUp: boolean;
  /** null while Consul is unreachable. */
  readonly consul: {
    readonly clusterId: string | null;
    readonly hasData: boolean;
    readonly primary: string | null;
    readonly heartbeat: {
      readonly instance: string;
      readonly txid: number;
    } | null;
  } | null;
  /**
   * A node in the primary region whose LiteFS is the primary, although no primary is known from
   * Consul; null without one. Its lease is in another Consul, or Consul is unreachable.
   */
  readonly unknownPrimary: string | null;
  /** True if this node has waited ADVANCED_NODE_WAIT_MS for a node that is ahead of it. */
  readonly hasWaited: boolean;
}

export type Decision =
  /**
   * Start LiteFS. If `isCatchingUp`, the launcher exits with EXIT_CAUGHT_UP once it has the
   * primary's data, and the supervisor decides again.
   */
  | {
      readonly kind: "start";
      readonly candidate: boolean;
      readonly isCatchingUp: boolean;
      readonly patienceMs: number;
      readonly reason: string;
    }
  /** There is no data here and no cluster yet. Exactly one node may bootstrap it. */
  | { readonly kind: "bootstrap" }
  /** Decide again later. */
  | { readonly kind: "wait"; readonly reason: string }
  /** An operator must decide. */
  | { readonly kind: "refuse"; readonly reason: string };

/**
 * How long the lease must be free before a node that is catching up becomes a candidate. Longer
 * than a handover.
 */
export const LEASE_VACANT_MS = 3_000;
/**
 * The same, if another node is ahead: time for it to return. After that, resuming writes matters
 * more than its data, and the loss is logged.
 */
export const ADVANCED_NODE_WAIT_MS = 120_000;

/**
 * Launcher exit codes that request a new decision: this store has caught up, or something else has
 * changed.
 */
export const EXIT_CAUGHT_UP = 75;
export const EXIT_REEVALUATE = 76;

export function decideCandidacy({
  instance,
  isInPrimaryRegion,
  store,
  hasNeeded,
  wasCaughtUp,
  hasWaited,
  unknownPrimary,
  consul,
}: CandidacyFacts): Decision {
  const start = (
    candidate: boolean,
    isCatchingUp: boolean,
    reason: string,
    patienceMs = LEASE_VACANT_MS,
  ) => ({ kind: "start", candidate, isCatchingUp, patienceMs, reason }) as const;
  if (consul?.clusterId && store.clusterId && consul.clusterId !== store.clusterId) {
    return {
      kind: "refuse",
      reason: `the data here belongs to cluster ${store.clusterId}, but the lease to cluster ${consul.clusterId}. Move LITEFS_DATA_DIR away to join that cluster, or set another LITEFS_LEASE_KEY to keep this data.`,
    };
  }
  if (!isInPrimaryRegion) return start(false, false, "outside the primary region");
  if (!store.hasData) {
    if (!consul)
      return {
        kind: "wait",
        reason: "no data here, and Consul is unreachable, so a cluster may exist",
      };
    if (consul.hasData) return start(false, true, "no data here, but the cluster has data");
    if (consul.primary !== null && consul.primary !== instance)
      return start(false, true, `no data here, and ${consul.primary} is bootstrapping the cluster`);
    return { kind: "bootstrap" };
  }
  if (unknownPrimary !== null)
    return start(
      false,
      true,
      `${unknownPrimary} is the primary, but Consul doesn't know it`,
      ADVANCED_NODE_WAIT_MS,
    );
  // Without Consul, this node can't know whether another one is ahead of it.
  if (!consul) return start(false, true, "Consul is unreachable; decides again when it responds");
  if (consul.primary === instance) return start(true, false, "this node was the last primary");
  if (consul.primary === null) {
    const { heartbeat } = consul;
    if (!heartbeat || heartbeat.instance === instance || hasNeeded)
      return start(true, false, "there is no primary");
    const reason = `there is no primary; this node is at transaction ${store.txid} and lacks transactions of ${heartbeat.instance}, which was at ${heartbeat.txid}`;
    return hasWaited
      ? start(true, false, `${reason} and did not return, so they are lost`)
      : start(false, true, reason, ADVANCED_NODE_WAIT_MS);
  }
  return wasCaughtUp
    ? start(true, false, "caught up with the primary")
    : start(false, true, `${consul.primary} is the primary and may be ahead`);
}
