// Whether this node may become the primary when LiteFS starts. LiteFS takes any candidate, however far its data is;
// so a node is one only while it is known to be as far as the cluster.

import type { StoreState } from "./store.ts";

export interface Known {
  readonly instance: string;
  readonly isInPrimaryRegion: boolean;
  readonly store: StoreState;
  /** The launcher saw this store at the primary's position, moments ago. */
  readonly wasCaughtUp: boolean;
  /** What Consul says; null while it can't be reached. */
  readonly consul: { readonly clusterId: string | null; readonly hasData: boolean; readonly primary: string | null } | null;
}

export type Decision =
  /** Start; `isCatchingUp`: the launcher is to end LiteFS with RESTART once the data is as far as the primary's, and boot decides anew. */
  | { readonly is: "start"; readonly candidate: boolean; readonly isCatchingUp: boolean; readonly why: string }
  /** No data here, and no cluster yet: exactly one node may make it. */
  | { readonly is: "found" }
  /** Ask again: starting now would help nobody. */
  | { readonly is: "wait"; readonly why: string }
  /** A person must look. */
  | { readonly is: "refuse"; readonly why: string };

/** The launcher's exit code for "start me anew, and decide again who may be the primary". */
export const RESTART = 75;

export function decideCandidacy({ instance, isInPrimaryRegion, store, wasCaughtUp, consul }: Known): Decision {
  const start = (candidate: boolean, isCatchingUp: boolean, why: string) => ({ is: "start", candidate, isCatchingUp, why }) as const;
  if (consul?.clusterId && store.clusterId && consul.clusterId !== store.clusterId) {
    return { is: "refuse", why: `the data here is of cluster ${store.clusterId}, the lease of cluster ${consul.clusterId}. Move LITEFS_DATA_DIR away to join that cluster, or set another LITEFS_LEASE_KEY to keep this data.` };
  }
  if (!isInPrimaryRegion) return start(false, false, "outside the primary region");
  if (!store.hasData) {
    if (!consul) return { is: "wait", why: "no data here, and Consul can't be reached: nobody knows whether there is a cluster" };
    if (consul.hasData) return start(false, true, "no data here, and the cluster has some");
    if (consul.primary !== null && consul.primary !== instance) return start(false, true, `no data here, and ${consul.primary} makes the cluster`);
    return { is: "found" };
  }
  if (!consul) return start(true, false, "Consul can't be reached; LiteFS goes on when it can");
  if (consul.primary === null) return start(true, false, "nobody is the primary");
  if (consul.primary === instance) return start(true, false, "this node was the primary last");
  return wasCaughtUp ? start(true, false, "as far as the primary") : start(false, true, `${consul.primary} is the primary, and may be further`);
}
