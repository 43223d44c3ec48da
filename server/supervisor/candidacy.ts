// Whether this node may become the primary when LiteFS starts. LiteFS takes any candidate, however far its data is;
// so a node is one only while it is known to be as far as the cluster.

import type { StoreState } from "./litefs-store.ts";

export interface CandidacyFacts {
  readonly instance: string;
  readonly isInPrimaryRegion: boolean;
  readonly store: StoreState;
  /** The launcher saw this store at the primary's position, moments ago. */
  readonly wasCaughtUp: boolean;
  /** What Consul says; null while it can't be reached. */
  readonly consul: {
    readonly clusterId: string | null;
    readonly hasData: boolean;
    readonly primary: string | null;
    readonly beat: {
      readonly instance: string;
      readonly txid: number;
      readonly needed: number;
    } | null;
  } | null;
  /** This node waited PATIENCE_MS for whoever is known to be further. */
  readonly wasPatient: boolean;
}

export type Decision =
  /** Start; `isCatchingUp`: the launcher is to end LiteFS with CAUGHT_UP once the data is as far as the primary's, and boot decides anew. */
  | {
      readonly is: "start";
      readonly candidate: boolean;
      readonly isCatchingUp: boolean;
      readonly patienceMs: number;
      readonly why: string;
    }
  /** No data here, and no cluster yet: exactly one node may make it. */
  | { readonly is: "found" }
  /** Ask again: starting now would help nobody. */
  | { readonly is: "wait"; readonly why: string }
  /** A person must look. */
  | { readonly is: "refuse"; readonly why: string };

/** How long nobody may have the lease before a node that was catching up offers itself. Longer than a hand-over. */
export const LEASE_VACANT_MS = 3_000;
/** The same where another node is known to be further: time for that one to come back. Then writes matter more than what it alone has, and the loss is said. */
export const ADVANCED_NODE_WAIT_MS = 120_000;

/** The launcher's exit codes for "start me anew, and decide again who may be the primary": it saw this store at the primary's position, or something else. */
export const EXIT_CAUGHT_UP = 75;
export const EXIT_REEVALUATE = 76;

export function decideCandidacy({
  instance,
  isInPrimaryRegion,
  store,
  wasCaughtUp,
  wasPatient,
  consul,
}: CandidacyFacts): Decision {
  const start = (
    candidate: boolean,
    isCatchingUp: boolean,
    why: string,
    patienceMs = LEASE_VACANT_MS,
  ) => ({ is: "start", candidate, isCatchingUp, patienceMs, why }) as const;
  if (consul?.clusterId && store.clusterId && consul.clusterId !== store.clusterId) {
    return {
      is: "refuse",
      why: `the data here is of cluster ${store.clusterId}, the lease of cluster ${consul.clusterId}. Move LITEFS_DATA_DIR away to join that cluster, or set another LITEFS_LEASE_KEY to keep this data.`,
    };
  }
  if (!isInPrimaryRegion) return start(false, false, "outside the primary region");
  if (!store.hasData) {
    if (!consul)
      return {
        is: "wait",
        why: "no data here, and Consul can't be reached: nobody knows whether there is a cluster",
      };
    if (consul.hasData) return start(false, true, "no data here, and the cluster has some");
    if (consul.primary !== null && consul.primary !== instance)
      return start(false, true, `no data here, and ${consul.primary} makes the cluster`);
    return { is: "found" };
  }
  if (!consul) return start(true, false, "Consul can't be reached; LiteFS goes on when it can");
  if (consul.primary === instance) return start(true, false, "this node was the primary last");
  if (consul.primary === null) {
    const { beat } = consul;
    const behind =
      beat && beat.instance !== instance && beat.needed > store.txid ? beat.txid - store.txid : 0;
    if (behind <= 0) return start(true, false, "nobody is the primary");
    const why = `nobody is the primary; ${beat!.instance} was ${behind} transactions further than this node`;
    return wasPatient
      ? start(true, false, `${why}, and did not come back: they are lost to the cluster`)
      : start(false, true, why, ADVANCED_NODE_WAIT_MS);
  }
  return wasCaughtUp
    ? start(true, false, "as far as the primary")
    : start(false, true, `${consul.primary} is the primary, and may be further`);
}
