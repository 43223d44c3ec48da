// Reads the state of every node in parallel, each for at most a second.

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

/** Accepts the status of other versions of the site: unknown fields are ignored. */
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
  /** Its last status; null if this process has none. */
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
    // The last known role may no longer hold.
    role: status?.role ?? "unknown",
    candidate: lastStatus?.candidate ?? false,
    version: lastStatus?.version ?? null,
    txid,
    // Statuses are not read at the same moment: a replica's may be newer.
    behind: status && newest !== null && txid !== null ? Math.max(0, newest - txid) : null,
    behindMs: status ? replicationLagMs(status) : null,
    startedAtMs: status?.startedAt ?? null,
    lastBackupAtMs: null,
  };
}

/** Returns every known node, reachable or not: this one first, then by region and name. Takes at most about a second. */
export async function readCluster(): Promise<ClusterView> {
  const peers = await listPeers();
  const statuses = await Promise.all(peers.map(fetchPeerStatus));
  const ownStatus = readNodeStatus();
  const answered = [ownStatus, ...statuses.filter((status) => status !== null)];
  const primaries = answered.filter(({ role }) => role === "primary");
  // Without a primary, the newest transaction counts.
  const txids = (primaries.length > 0 ? primaries : answered).flatMap(({ txid }) =>
    txid === null ? [] : [txid],
  );
  const newest = txids.length > 0 ? Math.max(...txids) : null;
  const others = peers
    .map((peer, i) => toNodeView(peer.instance, peer.region, statuses[i] ?? null, newest, false))
    .sort((a, b) => `${a.region} ${a.instance}`.localeCompare(`${b.region} ${b.instance}`, "en"));
  // Drops nodes that left the cluster.
  const names = new Set(peers.map(({ instance }) => instance));
  for (const map of [sharedState().statuses, sharedState().unreachable])
    for (const name of map.keys()) if (!names.has(name)) map.delete(name);
  return {
    isReplicated: isReplicated(),
    atMs: nowMs(),
    nodes: [toNodeView(ownStatus.instance, ownStatus.region, ownStatus, newest, true), ...others],
  };
}
