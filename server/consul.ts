// Reads and writes the cluster's state in Consul: its id, the primary's lease, the bootstrap claim, the heartbeat.
// The keys are LiteFS' (consul/consul.go of v0.5.14), except `founder` and `beat` below the lease's key.

import { requestInternal } from "#lib/core/internal-request.ts";

export interface Lease {
  /** The primary's instance name. */
  readonly hostname: string;
  /** URL of its LiteFS for other nodes. */
  readonly advertiseUrl: string;
  /** Holds the lease; expires unless its owner renews it. */
  readonly session: string | null;
}

export interface Heartbeat {
  readonly instance: string;
  readonly txid: number;
  /** Its transaction a moment before: a successor that lacks it must not take over. */
  readonly needed: number;
  readonly index: number;
}

export interface Consul {
  /** null before the first primary. Like all methods, it rejects while Consul is unreachable. */
  findClusterId(): Promise<string | null>;
  /** null without a holder. A dead primary holds the lease until its session expires. */
  findLease(): Promise<Lease | null>;
  /** Frees the session's lease after the lock delay. */
  destroySession(session: string): Promise<void>;
  /** True if the cluster has ever had data. */
  hasData(): Promise<boolean>;
  /** True for the one node that may bootstrap the cluster. A claim expires after `staleMs`. */
  claimBootstrap(instance: string, staleMs: number): Promise<boolean>;
  /** Sent by the primary, with its newest transaction and the one its successor needs. */
  sendHeartbeat(instance: string, txid: number, needed: number): Promise<void>;
  /** The newest heartbeat; `index` changes with each. null before the first. */
  findHeartbeat(): Promise<Heartbeat | null>;
  /** Records that the cluster has data: from now on, no node may start with an empty database. */
  markBootstrapped(instance: string): Promise<void>;
}

export function connectConsul(consulUrl: string, key: string): Consul {
  const url = new URL(consulUrl);
  const token = decodeURIComponent(url.password);
  const headers: Record<string, string> = token ? { "x-consul-token": token } : {};
  const path = [url.pathname, key].join("/").split("/").filter(Boolean).join("/");

  async function requestConsul(
    method: "GET" | "PUT",
    route: string,
    body?: string,
  ): Promise<{ status: number; body: string }> {
    const response = await requestInternal(`${url.protocol}//${url.host}/v1/${route}`, {
      method,
      headers,
      body,
    });
    if (response.status !== 200 && response.status !== 404)
      throw new Error(`Consul answered ${response.status}: ${response.body.slice(0, 200)}`);
    return response;
  }
  async function get(
    name: string,
  ): Promise<{ value: string; session: string | null; index: number } | null> {
    const { status, body } = await requestConsul("GET", `kv/${name}`);
    if (status === 404) return null;
    const [entry] = JSON.parse(body) as {
      Value: string | null;
      Session?: string;
      ModifyIndex: number;
    }[];
    return entry
      ? {
          value: Buffer.from(entry.Value ?? "", "base64").toString(),
          session: entry.Session ?? null,
          index: entry.ModifyIndex,
        }
      : null;
  }

  const findClusterId = async () => (await get(`${path}/clusterid`))?.value || null;
  async function findBootstrapClaim(): Promise<{
    instance: string;
    atMs: number;
    isDone: boolean;
    index: number;
  } | null> {
    const entry = await get(`${path}/founder`);
    return entry?.value
      ? {
          ...(JSON.parse(entry.value) as { instance: string; atMs: number; isDone: boolean }),
          index: entry.index,
        }
      : null;
  }

  return {
    findClusterId,
    async hasData() {
      // A cluster without a claim was made by LiteFS alone, and counts as having data.
      return (await findClusterId()) !== null && ((await findBootstrapClaim())?.isDone ?? true);
    },
    async findLease() {
      const entry = await get(path);
      if (!entry?.value) return null;
      const { hostname, "advertise-url": advertiseUrl } = JSON.parse(entry.value) as {
        hostname: string;
        "advertise-url": string;
      };
      return { hostname, advertiseUrl, session: entry.session };
    },
    async destroySession(session) {
      await requestConsul("PUT", `session/destroy/${session}`);
    },
    async claimBootstrap(instance, staleMs) {
      const claim = await findBootstrapClaim();
      if (
        claim &&
        !claim.isDone &&
        claim.instance !== instance &&
        claim.atMs + staleMs > Date.now()
      )
        return false;
      const { body } = await requestConsul(
        "PUT",
        `kv/${path}/founder?cas=${claim?.index ?? 0}`,
        JSON.stringify({ instance, atMs: Date.now(), isDone: false }),
      );
      return body.trim() === "true";
    },
    async sendHeartbeat(instance, txid, needed) {
      await requestConsul("PUT", `kv/${path}/beat`, JSON.stringify({ instance, txid, needed }));
    },
    async findHeartbeat() {
      const entry = await get(`${path}/beat`);
      return entry?.value
        ? {
            needed: 0,
            ...(JSON.parse(entry.value) as { instance: string; txid: number; needed?: number }),
            index: entry.index,
          }
        : null;
    },
    async markBootstrapped(instance) {
      await requestConsul(
        "PUT",
        `kv/${path}/founder`,
        JSON.stringify({ instance, atMs: Date.now(), isDone: true }),
      );
    },
  };
}
