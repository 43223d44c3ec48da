// Reads the status of every node in parallel, with a deadline of one second each.

import { z } from "zod";
import { type ClusterView, type NodeView, replicationLagMs } from "./node-view.ts";
import { SECOND_MS, nowMs } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { singleton } from "#lib/core/singleton.ts";
import { type NodeStatus, readNodeStatus } from "./node-status.ts";
import { type Peer, listPeers } from "./peers.ts";
import { requestPeer } from "./request-peer.ts";

const PEER_TIMEOUT_MS = SECOND_MS;

export const STATUS_SIGNATURE_SUBJECT = "status";

/**
 * Accepts statuses of other site versions: unknown fields are ignored, newer ones have defaults.
 */
const statusSchema = z.object({
  region: z.string().max(20).nullable(),
  role: z.enum(["primary", "replica", "unknown"]),
  candidate: z.boolean().default(false),
  txid: z.number().nullable(),
  lagMs: z.number().nullable().default(null),
  silenceMs: z.number().nullable().default(null),
  version: z.string().max(200).nullable().default(null),
  startedAt: z.number().nullable().default(null),
});
type PeerStatus = z.output<typeof statusSchema>;

interface UnreachablePeer {
  readonly sinceMs: number;
  /** Its last known status; null if this process never got one. */
  readonly lastStatus: PeerStatus | null;
}

const sharedState = () =>
  singleton(
    "cluster-nodes",
    (): {
      readonly statuses: Map<string, PeerStatus>;
      readonly unreachable: Map<string, UnreachablePeer>;
    } => ({ statuses: new Map(), unreachable: new Map() }),
  );

async function fetchPeerStatus(peer: Peer): Promise<PeerStatus | null> {
  const { statuses, unreachable } = sharedState();
  try {
    const status = statusSchema.parse(
      await requestPeer(peer, {
        method: "GET",
        path: "/internal/status",
        signatureSubject: STATUS_SIGNATURE_SUBJECT,
        timeoutMs: PEER_TIMEOUT_MS,
      }),
    );
    statuses.set(peer.instance, status);
    unreachable.delete(peer.instance);
    return status;
    // oxlint-disable-next-line lectern/no-swallowed-replay -- only asks a peer
  } catch (error) {
    if (!unreachable.has(peer.instance)) {
      unreachable.set(peer.instance, {
        sinceMs: nowMs(),
        lastStatus: statuses.get(peer.instance) ?? null,
      });
      log("warn", "cluster.node_unreachable", { node: peer.instance, error });
    }
    return null;
  }
}

function toNodeView(
  instance: string,
  region: string | null,
  status: PeerStatus | NodeStatus | null,
  newest: number | null,
  isThis: boolean,
): NodeView {
  const outage = status ? undefined : sharedState().unreachable.get(instance);
  const lastStatus = status ?? outage?.lastStatus ?? null;
  const txid = lastStatus?.txid ?? null;
  return {
    instance,
    region: lastStatus?.region ?? region,
    isThis,
    unreachableSinceMs: status ? null : (outage?.sinceMs ?? nowMs()),
    // An unreachable node's last known role may be outdated.
    role: status?.role ?? "unknown",
    candidate: lastStatus?.candidate ?? false,
    version: lastStatus?.version ?? null,
    txid,
    // Statuses are read at different moments, so a replica's can be newer.
    behind: status && newest !== null && txid !== null ? Math.max(0, newest - txid) : null,
    behindMs: status ? replicationLagMs(status) : null,
    startedAtMs: status?.startedAt ?? null,
  };
}

/**
 * Returns every known node, reachable or not: this one first, the rest by region and name. Takes
 * about a second at most.
 */
export async function readCluster(): Promise<ClusterView> {
  const peers = await listPeers();
  const statuses = await Promise.all(peers.map(fetchPeerStatus));
  const ownStatus = readNodeStatus();
  const answered = [ownStatus, ...statuses.filter((status) => status !== null)];
  const primaries = answered.filter(({ role }) => role === "primary");
  // Without a primary, compare with the newest transaction of any node.
  const txids = (primaries.length > 0 ? primaries : answered).flatMap(({ txid }) =>
    txid === null ? [] : [txid],
  );
  const newest = txids.length > 0 ? Math.max(...txids) : null;
  const others = peers
    .map((peer, i) => toNodeView(peer.instance, peer.region, statuses[i] ?? null, newest, false))
    .sort((a, b) => `${a.region} ${a.instance}`.localeCompare(`${b.region} ${b.instance}`, "en"));
  // Forget nodes that have left the cluster.
  const names = new Set(peers.map(({ instance }) => instance));
  for (const map of [sharedState().statuses, sharedState().unreachable])
    for (const name of map.keys()) if (!names.has(name)) map.delete(name);
  return {
    isReplicated: isReplicated(),
    atMs: nowMs(),
    nodes: [toNodeView(ownStatus.instance, ownStatus.region, ownStatus, newest, true), ...others],
  };
}
