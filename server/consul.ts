// Reads and writes the cluster's state in Consul: its ID, the primary's lease, the bootstrap claim,
// the heartbeat. The keys are LiteFS's (consul/consul.go of v0.5.14), except `founder` (bootstrap
// claim) and `beat` (heartbeat) below the lease's key.

import { parseConsulUrls } from "./consul-servers.ts";
import type { Position } from "#lib/replication/litefs-node-state.ts";
import { requestInternal } from "#lib/core/internal-request.ts";

export interface Lease {
  /** The primary's instance name. */
  readonly hostname: string;
  /** URL at which other nodes reach its LiteFS. */
  readonly advertiseUrl: string;
  /** The Consul session that holds the lease; it expires unless its owner renews it. */
  readonly session: string | null;
}

export interface Heartbeat {
  readonly instance: string;
  readonly txid: number;
  /** The sender's position a moment earlier. A standby that lacks it must not take over. */
  readonly needed: Position;
  readonly index: number;
}

export interface Consul {
  /**
   * Resolves to null before the first primary. Like all methods, rejects while Consul is
   * unreachable.
   */
  findClusterId(): Promise<string | null>;
  /**
   * Resolves to null if no node holds the lease. A dead primary holds it until its session expires.
   * `isConsistent` asks a majority of Consul's servers, so that a deposed one can't answer.
   */
  findLease(options?: { isConsistent?: boolean }): Promise<Lease | null>;
  /** Releases the session's lease, after Consul's lock delay. */
  destroySession(session: string): Promise<void>;
  /** Resolves to true if the cluster has ever had data. */
  hasData(): Promise<boolean>;
  /**
   * Resolves to true on the one node that may bootstrap the cluster (compare-and-set). A claim
   * expires after `staleMs`.
   */
  claimBootstrap(instance: string, staleMs: number): Promise<boolean>;
  /**
   * Sends the primary's heartbeat, with its newest transaction and the position that its successor
   * needs.
   */
  sendHeartbeat(instance: string, txid: number, needed: Position): Promise<void>;
  /** Resolves to the newest heartbeat; null before the first. Every heartbeat has a new `index`. */
  findHeartbeat(): Promise<Heartbeat | null>;
  /** Records that the cluster has data. After that, no node may start with an empty database. */
  markBootstrapped(instance: string): Promise<void>;
}

/** `consulUrls` are the URLs of FLY_CONSUL_URL, or of the supervisor's proxy. */
export function connectConsul(consulUrls: string, key: string): Consul {
  const { origins, token: encodedToken, path: prefix } = parseConsulUrls(consulUrls);
  const token = decodeURIComponent(encodedToken);
  const headers: Record<string, string> = token ? { "x-consul-token": token } : {};
  const path = [prefix, key].join("/").split("/").filter(Boolean).join("/");

  /** Tries one server after the other until one responds. */
  async function requestConsul(
    method: "GET" | "PUT",
    route: string,
    body?: string,
  ): Promise<{ status: number; body: string }> {
    let failure = new Error("FLY_CONSUL_URL names no server.");
    for (const { origin } of origins) {
      const response = await requestInternal(`${origin}/v1/${route}`, {
        method,
        headers,
        body,
      }).catch((error: Error) => {
        failure = error;
        return null;
      });
      if (response?.status === 200 || response?.status === 404) return response;
      if (response)
        failure = new Error(
          `Consul responded with ${response.status}: ${response.body.slice(0, 200)}`,
        );
    }
    throw failure;
  }
  async function get(
    name: string,
    query = "",
  ): Promise<{ value: string; session: string | null; index: number } | null> {
    const { status, body } = await requestConsul("GET", `kv/${name}${query}`);
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
      // A cluster without a claim was created by LiteFS itself, and counts as having data.
      return (await findClusterId()) !== null && ((await findBootstrapClaim())?.isDone ?? true);
    },
    async findLease({ isConsistent = false } = {}) {
      const entry = await get(path, isConsistent ? "?consistent" : "");
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
      const heartbeat = { instance, txid, needed: needed.txid, checksum: needed.checksum };
      await requestConsul("PUT", `kv/${path}/beat`, JSON.stringify(heartbeat));
    },
    async findHeartbeat() {
      const entry = await get(`${path}/beat`);
      if (!entry?.value) return null;
      // Earlier versions send no checksum.
      const { instance, txid, needed, checksum } = JSON.parse(entry.value) as {
        instance: string;
        txid: number;
        needed?: number;
        checksum?: string;
      };
      return {
        instance,
        txid,
        needed: { txid: needed ?? 0, checksum: checksum ?? "" },
        index: entry.index,
      };
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
