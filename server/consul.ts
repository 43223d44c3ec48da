// What Consul knows of the cluster: its id, who has the lease, and who may found it. The keys are LiteFS' own
// (consul/consul.go of v0.5.14), except `founder` and `beat` below the lease's key.

import { requestInternal } from "#lib/core/internal-request.ts";

export interface Lease {
  /** The primary's instance name. */
  readonly hostname: string;
  /** Where other nodes reach its LiteFS. */
  readonly advertiseUrl: string;
  /** The session that holds the lease; it ends when its owner does not renew it. */
  readonly session: string | null;
}

export interface Heartbeat {
  readonly instance: string;
  readonly txid: number;
  /** What it had a moment before: who has not even that must not take its place unasked. */
  readonly needed: number;
  readonly index: number;
}

export interface Consul {
  /** Null before the first primary. Rejects while Consul can't be reached, as all others do. */
  findClusterId(): Promise<string | null>;
  /** Who has the lease; null where nobody has. A primary that died has it until its session ends. */
  findLease(): Promise<Lease | null>;
  /** Ends a session, so that its lease is free after the lock delay. */
  destroySession(session: string): Promise<void>;
  /** Whether a cluster was ever filled with data, as far as Consul knows. */
  hasData(): Promise<boolean>;
  /** True for the one node that may make the cluster: who came first, unless that was `staleMs` ago. */
  claimBootstrap(instance: string, staleMs: number): Promise<boolean>;
  /** A sign of life of the primary, with the number of its newest transaction and of the one that its successor needs. */
  sendHeartbeat(instance: string, txid: number, needed: number): Promise<void>;
  /** The newest sign of life; `index` changes with each. Null before the first. */
  findHeartbeat(): Promise<Heartbeat | null>;
  /** Says that there is data now: from here on nobody may begin with none. */
  markBootstrapped(instance: string): Promise<void>;
}

export function connectConsul(consulUrl: string, key: string): Consul {
  const url = new URL(consulUrl);
  const token = decodeURIComponent(url.password);
  const headers: Record<string, string> = token ? { "x-consul-token": token } : {};
  const path = [url.pathname, key].join("/").split("/").filter(Boolean).join("/");

  async function ask(
    method: "GET" | "PUT",
    route: string,
    body?: string,
  ): Promise<{ status: number; body: string }> {
    const answer = await requestInternal(`${url.protocol}//${url.host}/v1/${route}`, {
      method,
      headers,
      body,
    });
    if (answer.status !== 200 && answer.status !== 404)
      throw new Error(`Consul answered ${answer.status}: ${answer.body.slice(0, 200)}`);
    return answer;
  }
  async function get(
    name: string,
  ): Promise<{ value: string; session: string | null; index: number } | null> {
    const { status, body } = await ask("GET", `kv/${name}`);
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

  const clusterId = async () => (await get(`${path}/clusterid`))?.value || null;
  async function founder(): Promise<{
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
    findClusterId: clusterId,
    async hasData() {
      // A cluster that none of us founded counts as one that has data.
      return (await clusterId()) !== null && ((await founder())?.isDone ?? true);
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
      await ask("PUT", `session/destroy/${session}`);
    },
    async claimBootstrap(instance, staleMs) {
      const before = await founder();
      if (
        before &&
        !before.isDone &&
        before.instance !== instance &&
        before.atMs + staleMs > Date.now()
      )
        return false;
      const { body } = await ask(
        "PUT",
        `kv/${path}/founder?cas=${before?.index ?? 0}`,
        JSON.stringify({ instance, atMs: Date.now(), isDone: false }),
      );
      return body.trim() === "true";
    },
    async sendHeartbeat(instance, txid, needed) {
      await ask("PUT", `kv/${path}/beat`, JSON.stringify({ instance, txid, needed }));
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
      await ask(
        "PUT",
        `kv/${path}/founder`,
        JSON.stringify({ instance, atMs: Date.now(), isDone: true }),
      );
    },
  };
}
