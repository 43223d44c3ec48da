// The whole cluster as this instance sees it now: every node is asked at once, each for at most a second.

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

/** What the signature of the call is about. */
export const STATUS_SIGNATURE_SUBJECT = "status";

/** What another version of the site says may be more, or less: only this is needed. */
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
  /** What it said last; null where this process never heard of it. */
  readonly lastStatus: PeerStatus | null;
}

const sharedState = () =>
  singleton(
    "cluster-nodes",
    (): {
      readonly heard: Map<string, PeerStatus>;
      readonly missed: Map<string, UnreachablePeer>;
    } => ({ heard: new Map(), missed: new Map() }),
  );

async function fetchPeerStatus(peer: Peer): Promise<PeerStatus | null> {
  const { heard, missed } = sharedState();
  try {
    const status = statusSchema.parse(
      await requestPeer(peer, {
        method: "GET",
        path: "/internal/status",
        signatureSubject: STATUS_SIGNATURE_SUBJECT,
        timeoutMs: PEER_TIMEOUT_MS,
      }),
    );
    heard.set(peer.instance, status);
    missed.delete(peer.instance);
    return status;
  } catch (error) {
    if (!missed.has(peer.instance)) {
      missed.set(peer.instance, { sinceMs: nowMs(), lastStatus: heard.get(peer.instance) ?? null });
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
  const miss = status ? undefined : sharedState().missed.get(instance);
  const said = status ?? miss?.lastStatus ?? null;
  const txid = said?.txid ?? null;
  return {
    instance,
    region: said?.region ?? region,
    isThis,
    unreachableSinceMs: status ? null : (miss?.sinceMs ?? nowMs()),
    // What it was is not what it is.
    role: status?.role ?? "unknown",
    candidate: said?.candidate ?? false,
    version: said?.version ?? null,
    txid,
    // The answers don't come at the same moment: a replica's may be the newer one.
    behind: status && newest !== null && txid !== null ? Math.max(0, newest - txid) : null,
    behindMs: status ? replicationLagMs(status) : null,
    startedAtMs: status?.startedAt ?? null,
    lastBackupAtMs: null,
  };
}

/** Every known node, this one first, then by region and name; those that did not answer within a second are there too. Takes at most about a second. */
export async function readCluster(): Promise<ClusterView> {
  const peers = await listPeers();
  const statuses = await Promise.all(peers.map(fetchPeerStatus));
  const own = readNodeStatus();
  const answered = [own, ...statuses.filter((status) => status !== null)];
  const known = answered.filter(({ role }) => role === "primary");
  // Where no primary answered, the newest there is.
  const txids = (known.length > 0 ? known : answered).flatMap(({ txid }) =>
    txid === null ? [] : [txid],
  );
  const newest = txids.length > 0 ? Math.max(...txids) : null;
  const others = peers
    .map((peer, i) => toNodeView(peer.instance, peer.region, statuses[i] ?? null, newest, false))
    .sort((a, b) => `${a.region} ${a.instance}`.localeCompare(`${b.region} ${b.instance}`, "en"));
  // Nodes that are gone for good are forgotten.
  const names = new Set(peers.map(({ instance }) => instance));
  for (const map of [sharedState().heard, sharedState().missed])
    for (const name of map.keys()) if (!names.has(name)) map.delete(name);
  return {
    isReplicated: isReplicated(),
    atMs: nowMs(),
    nodes: [toNodeView(own.instance, own.region, own, newest, true), ...others],
  };
}
