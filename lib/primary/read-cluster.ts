// The whole cluster as this instance sees it now: every node is asked at once, each for at most a second.

import { z } from "zod";
import { type ClusterView, type NodeView, behindMs } from "../base/cluster.ts";
import { SECOND_MS, nowMs } from "../base/clock.ts";
import { log } from "../base/log.ts";
import { isReplicated } from "../litefs/instance.ts";
import { type NodeStatus, nodeStatus } from "../litefs/node-status.ts";
import { type Peer, findPeers } from "../litefs/peers.ts";
import { askPeer } from "./ask-peer.ts";

const ASK_MS = SECOND_MS;

/** What the signature of the call is about. */
export const STATUS_CALL = "status";

/** What another version of the site says may be more, or less: only this is needed. */
const statusShape = z.object({
  region: z.string().max(20).nullable(),
  role: z.enum(["primary", "replica", "unknown"]),
  candidate: z.boolean().default(false),
  txid: z.number().nullable(),
  lagMs: z.number().nullable().default(null),
  silenceMs: z.number().nullable().default(null),
  version: z.string().max(200).nullable().default(null),
  startedAt: z.number().nullable().default(null),
});
type Status = z.output<typeof statusShape>;

interface Missed {
  readonly sinceMs: number;
  /** What it said last; null where this process never heard of it. */
  readonly last: Status | null;
}

// One per process: pages and handlers are bundled apart.
const shared = globalThis as {
  __lecternNodes?: { readonly heard: Map<string, Status>; readonly missed: Map<string, Missed> };
};
const memory = () => (shared.__lecternNodes ??= { heard: new Map(), missed: new Map() });

async function ask(peer: Peer): Promise<Status | null> {
  const { heard, missed } = memory();
  try {
    const status = statusShape.parse(
      await askPeer(peer, {
        method: "GET",
        path: "/internal/status",
        about: STATUS_CALL,
        timeoutMs: ASK_MS,
      }),
    );
    heard.set(peer.instance, status);
    missed.delete(peer.instance);
    return status;
  } catch (error) {
    if (!missed.has(peer.instance)) {
      missed.set(peer.instance, { sinceMs: nowMs(), last: heard.get(peer.instance) ?? null });
      log("warn", "cluster.node_unreachable", { node: peer.instance, error });
    }
    return null;
  }
}

function view(
  instance: string,
  region: string | null,
  status: Status | NodeStatus | null,
  newest: number | null,
  isThis: boolean,
): NodeView {
  const miss = status ? undefined : memory().missed.get(instance);
  const said = status ?? miss?.last ?? null;
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
    behindMs: status ? behindMs(status) : null,
    startedAtMs: status?.startedAt ?? null,
    lastBackupAtMs: null,
  };
}

/** Every known node, this one first, then by region and name; those that did not answer within a second are there too. Takes at most about a second. */
export async function readCluster(): Promise<ClusterView> {
  const peers = await findPeers();
  const statuses = await Promise.all(peers.map(ask));
  const own = nodeStatus();
  const answered = [own, ...statuses.filter((status) => status !== null)];
  const known = answered.filter(({ role }) => role === "primary");
  // Where no primary answered, the newest there is.
  const txids = (known.length > 0 ? known : answered).flatMap(({ txid }) =>
    txid === null ? [] : [txid],
  );
  const newest = txids.length > 0 ? Math.max(...txids) : null;
  const others = peers
    .map((peer, i) => view(peer.instance, peer.region, statuses[i] ?? null, newest, false))
    .sort((a, b) => `${a.region} ${a.instance}`.localeCompare(`${b.region} ${b.instance}`, "en"));
  // Nodes that are gone for good are forgotten.
  const names = new Set(peers.map(({ instance }) => instance));
  for (const map of [memory().heard, memory().missed])
    for (const name of map.keys()) if (!names.has(name)) map.delete(name);
  return {
    isReplicated: isReplicated(),
    atMs: nowMs(),
    nodes: [view(own.instance, own.region, own, newest, true), ...others],
  };
}
