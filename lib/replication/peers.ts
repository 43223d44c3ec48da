// Lists the other instances of the cluster.

import { resolveTxt } from "node:dns/promises";
import { SECOND_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { currentInstance } from "#lib/core/instance.ts";
import { singleton } from "#lib/core/singleton.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";

export interface Peer {
  readonly instance: string;
  readonly region: string;
  /**
   * Hostname or address on the private network. The site listens on PORT, LiteFS on LITEFS_PORT.
   */
  readonly host: string;
}

const REFRESH_INTERVAL_MS = 10 * SECOND_MS;
const DNS_TIMEOUT_MS = 2 * SECOND_MS;

const shared = singleton(
  "peers",
  (): { cached?: { atMs: number; all: Promise<readonly Peer[]> } } => ({}),
);

/** Parses "name@region=host,…" and skips malformed entries. */
export function parseClusterNodes(text: string): Peer[] {
  return text.split(",").flatMap((each) => {
    const [, instance, region, host] = /^([\w.-]+)@(\w+)=(.+)$/.exec(each) ?? [];
    return instance && region && host ? [{ instance, region, host }] : [];
  });
}

/**
 * Parses the TXT record of vms.<app>.internal, "id region,id region"
 * (https://fly.io/docs/networking/private-networking/).
 */
export function parseFlyVms(text: string, app: string): Peer[] {
  return text.split(",").flatMap((each) => {
    const [, instance, region] = /^\s*([\w-]+) ([a-z]+)\s*$/.exec(each) ?? [];
    return instance && region ? [{ instance, region, host: `${instance}.vm.${app}.internal` }] : [];
  });
}

async function resolveFlyPeers(app: string): Promise<readonly Peer[]> {
  const records = await withTimeout(
    resolveTxt(`vms.${app}.internal`),
    DNS_TIMEOUT_MS,
    `DNS did not respond within ${DNS_TIMEOUT_MS} ms.`,
  );
  return parseFlyVms(records.map((parts) => parts.join("")).join(","), app);
}

/**
 * Returns the other instances, from CLUSTER_NODES or from Fly's DNS (cached for ten seconds). While
 * DNS fails, returns the last known list.
 */
export async function listPeers(): Promise<readonly Peer[]> {
  if (!env.REPLICATION) return [];
  const self = currentInstance();
  if (env.CLUSTER_NODES)
    return parseClusterNodes(env.CLUSTER_NODES).filter(({ instance }) => instance !== self);
  const app = env.FLY_APP_NAME;
  if (!app) return [];
  const { cached } = shared;
  if (!cached || cached.atMs + REFRESH_INTERVAL_MS < performance.now()) {
    const all = resolveFlyPeers(app).catch((error: unknown) => {
      log("warn", "peers.not_found", { error });
      return cached?.all ?? [];
    });
    shared.cached = { atMs: performance.now(), all };
  }
  return (await shared.cached!.all).filter(({ instance }) => instance !== self);
}

function peerUrl({ host }: Peer, port: number): string {
  const bare = host.replace(/^\[|\]$/g, "");
  return `http://${bare.includes(":") ? `[${bare}]` : bare}:${port}`;
}

export const peerSiteUrl = (peer: Peer): string => peerUrl(peer, env.PORT);

export const peerLitefsUrl = (peer: Peer): string => peerUrl(peer, env.LITEFS_PORT);
