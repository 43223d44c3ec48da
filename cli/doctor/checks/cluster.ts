// Checks this node of a cluster: LiteFS, the cluster's id on disk and in Consul, the lease, the
// peers, and whether all instances run the same version and serve the same content.

import { z } from "zod";
import { SECOND_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { requestInternal } from "#lib/core/internal-request.ts";
import { formatDuration } from "#lib/core/format.ts";
import { listPeers, peerSiteUrl } from "#lib/replication/peers.ts";
import { replicationLagMs } from "#lib/replication/node-view.ts";
import { STATUS_SIGNATURE_SUBJECT } from "#lib/replication/read-cluster.ts";
import { requestPeer } from "#lib/replication/request-peer.ts";
import { connectConsul } from "#server/consul.ts";
import { readStore } from "#server/supervisor/litefs-store.ts";
import { type Finding, note, ok, problem } from "../finding.ts";
import { checkClock, measureClockSkewMs } from "./machine.ts";

const PEER_TIMEOUT_MS = 2 * SECOND_MS;
/** Replication between continents takes milliseconds, a deploy or failover about ten seconds. */
const MAX_LAG_MS = 10 * SECOND_MS;

const statusSchema = z.object({
  role: z.enum(["primary", "replica", "unknown"]),
  candidate: z.boolean(),
  lagMs: z.number().nullable(),
  silenceMs: z.number().nullable(),
  version: z.string().nullable(),
  contentVersion: z.string().nullable().default(null),
  standbys: z.array(z.object({ instance: z.string(), isStalled: z.boolean() })),
});
type Status = z.output<typeof statusSchema>;

export interface LeaseState {
  readonly clusterIdOnDisk: string | null;
  readonly clusterIdInConsul: string | null;
  /** The instance that holds the lease; null if none does. */
  readonly holder: string | null;
  /** The primary that LiteFS here names; null if it knows none. */
  readonly primary: string | null;
}

/** Compares what Consul, LiteFS and the disk say. */
export function checkLease(state: LeaseState): Finding[] {
  const { clusterIdOnDisk, clusterIdInConsul, holder, primary } = state;
  const findings: Finding[] = [];
  if (clusterIdOnDisk && clusterIdInConsul && clusterIdOnDisk !== clusterIdInConsul)
    findings.push(
      problem(
        `cluster id: ${clusterIdOnDisk} on disk, ${clusterIdInConsul} in Consul`,
        "This node belongs to another cluster, so it doesn't exchange transactions with this one.",
        "Move the store away and restart, so that the node fetches a snapshot: mv $LITEFS_DATA_DIR $LITEFS_DATA_DIR.other",
      ),
    );
  else if (clusterIdOnDisk && !clusterIdInConsul)
    findings.push(
      problem(
        `cluster id: ${clusterIdOnDisk} on disk, none in Consul`,
        "Consul has lost its data, or LITEFS_LEASE_KEY has changed.",
        "Compare LITEFS_LEASE_KEY with the other nodes. If it is correct, restart the node that has the newest data.",
      ),
    );
  else findings.push(ok(`cluster id: ${clusterIdOnDisk ?? "none yet"}, as in Consul`));
  if (holder === null)
    findings.push(
      problem(
        "no node holds the lease",
        "Every write is refused until a candidate takes it.",
        "Start a candidate (a machine in the primary region): fly machine start ID",
      ),
    );
  else if (primary !== null && holder !== primary)
    findings.push(
      note(
        `${holder} holds the lease, but LiteFS here follows ${primary}`,
        "This is normal for a second during a handover. If it lasts longer, this node is stale.",
        "Run doctor again. If the problem persists: fly machine restart ID",
      ),
    );
  else findings.push(ok(`lease: ${holder}`));
  return findings;
}

/** Returns what is wrong with `instance` itself; `isThis` for the node that doctor runs on. */
export function checkNodeStatus(instance: string, status: Status): Finding[] {
  const { role, standbys } = status;
  if (role === "unknown")
    return [
      problem(
        `${instance}: no primary known`,
        "It refuses writes, and its data becomes stale.",
        "Find out why no node holds the lease: /admin/cluster, and the log event supervisor.start",
      ),
    ];
  if (role === "primary")
    return standbys.some(({ isStalled }) => !isStalled)
      ? [ok(`${instance}: primary, with a standby`)]
      : [
          problem(
            `${instance}: primary, without a standby`,
            "If its machine dies, the last writes are lost and no node takes over.",
            "fly scale count 2 --region THE-PRIMARY-REGION",
          ),
        ];
  const lagMs = replicationLagMs(status) ?? 0;
  return lagMs > MAX_LAG_MS
    ? [
        problem(
          `${instance}: ${formatDuration(lagMs, "short")} behind the primary`,
          "Its readers see stale pages.",
          "fly machine restart ID; after ten minutes it fetches a snapshot",
        ),
      ]
    : [ok(`${instance}: replica, ${lagMs} ms behind`)];
}

/** Compares what every instance runs and serves. */
export function checkSameEverywhere(
  what: "site version" | "content version",
  byInstance: ReadonlyMap<string, string | null>,
): Finding[] {
  const values = new Set(byInstance.values());
  if (values.size <= 1) return [ok(`${what}: ${[...values][0] ?? "unknown"} everywhere`)];
  const list = [...byInstance].map(([instance, value]) => `${instance} ${value ?? "none"}`);
  return [
    problem(
      `${what}: ${list.join(", ")}`,
      what === "site version"
        ? "A deploy is in progress or has stopped halfway. Forms from one version may fail on the other."
        : "Readers see different posts depending on where they are.",
      what === "site version"
        ? "Find out why the deploy stopped (fly logs), then run it again: fly deploy"
        : "See the reason at /admin/content on that instance, then: fly machine restart ID",
    ),
  ];
}

async function readLease(primary: string | null): Promise<Finding[]> {
  const { FLY_CONSUL_URL, LITEFS_LEASE_KEY = "lectern/primary" } = process.env;
  if (!FLY_CONSUL_URL)
    return [
      problem(
        "FLY_CONSUL_URL is not set",
        "Without the lease service, no node becomes the primary.",
        "fly consul attach",
      ),
    ];
  const consul = connectConsul(FLY_CONSUL_URL, LITEFS_LEASE_KEY);
  const storeDir = env.LITEFS_DATA_DIR ?? `${env.DATA_DIR}/litefs`;
  try {
    const [clusterIdInConsul, lease] = await Promise.all([
      consul.findClusterId(),
      consul.findLease(),
    ]);
    return checkLease({
      clusterIdOnDisk: readStore(storeDir, "lectern.db").clusterId,
      clusterIdInConsul,
      holder: lease?.session ? lease.hostname : null,
      primary,
    });
  } catch (error) {
    // The URL contains a token.
    return [
      problem(
        `Consul isn't responding: ${(error as Error).message.replaceAll(FLY_CONSUL_URL, "FLY_CONSUL_URL")}`,
        "Reads continue, but the primary loses its lease, and no other node can take it.",
        "curl -s $FLY_CONSUL_URL/v1/status/leader",
      ),
    ];
  }
}

async function readLitefs(): Promise<{ findings: Finding[]; primary: string | null }> {
  try {
    const { body } = await requestInternal(`${env.LITEFS_URL}/info`);
    const info = JSON.parse(body) as { isPrimary: boolean; primary?: { hostname: string } };
    return {
      findings: [ok(`LiteFS responds at ${env.LITEFS_URL}`)],
      primary: info.isPrimary ? currentInstance() : (info.primary?.hostname ?? null),
    };
  } catch (error) {
    return {
      findings: [
        problem(
          `LiteFS isn't responding: ${(error as Error).message}`,
          "Without it, this node has no database.",
          "See the log for litefs.exited, and restart the machine: fly machine restart ID",
        ),
      ],
      primary: null,
    };
  }
}

/** Returns the findings for this node and its peers; empty without replication. */
export async function checkCluster(): Promise<Finding[]> {
  if (!env.REPLICATION) return [];
  const self = {
    instance: currentInstance(),
    region: env.FLY_REGION ?? "",
    // The site and LiteFS share the machine's address.
    host: new URL(env.LITEFS_URL).hostname,
  };
  const { findings, primary } = await readLitefs();
  findings.push(...(await readLease(primary)));
  const versions = new Map<string, string | null>();
  const contentVersions = new Map<string, string | null>();
  const nodes = [self, ...(await listPeers())];
  const results = await Promise.all(
    nodes.map(async (peer): Promise<Finding[]> => {
      try {
        const status = statusSchema.parse(
          await requestPeer(peer, {
            method: "GET",
            path: "/internal/status",
            signatureSubject: STATUS_SIGNATURE_SUBJECT,
            timeoutMs: PEER_TIMEOUT_MS,
          }),
        );
        versions.set(peer.instance, status.version);
        contentVersions.set(peer.instance, status.contentVersion);
        return [
          ...checkNodeStatus(peer.instance, status),
          ...(peer === self
            ? []
            : checkClock(peer.instance, await measureClockSkewMs(`${peerSiteUrl(peer)}/healthz`))),
        ];
      } catch (error) {
        return [
          problem(
            `${peer.instance}: ${(error as Error).message}`,
            "The site there is down, can't be reached, or has a different SESSION_SECRET.",
            "fly machine status ID; fly secrets list shows whether a secret is only staged",
          ),
        ];
      }
    }),
  );
  return [
    ...findings,
    ...results.flat(),
    ...checkSameEverywhere("site version", versions),
    ...checkSameEverywhere("content version", contentVersions),
  ];
}
