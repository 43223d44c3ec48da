// Forwards requests from this node to a Consul server that responds (failover between servers), and
// routes its connection to the primary through a relay. LiteFS knows one URL and waits indefinitely
// for a response, so a hanging server would keep it primary beyond its lease.

import { lookup } from "node:dns/promises";
import { once } from "node:events";
import {
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  createServer,
  request as httpRequest,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConsulServers, parseConsulUrls } from "#server/consul-servers.ts";
import { logEvent } from "#server/log-event.ts";
import type { Settings } from "#server/settings.ts";
import { createLeaseRelay } from "./lease-relay.ts";

/** How long one server has to respond before the next one is tried. */
const ATTEMPT_TIMEOUT_MS = 1_000;
const ROUND_PAUSE_MS = 200;
const REQUEST_TIMEOUT_MS = 2_000;
/** A little less than the second that LiteFS needs for one more retry (store.go of v0.5.14). */
const LAST_RETRY_MS = 900;
const RENEW_PATH = "/v1/session/renew/";
const DNS_TIMEOUT_MS = 1_000;
const DNS_TTL_MS = 10_000;
/** Consul accepts values of up to 512 kB. */
const MAX_BODY_BYTES = 524_288;
/** A server without a leader responds with 500 and one of these. Another server may know it. */
const NO_LEADER =
  /no cluster leader|leadership lost|not the leader|connection re|EOF|i\/o timeout|shutdown/i;

type ProxySettings = Pick<Settings, "instance"> & {
  readonly lease: Pick<Settings["lease"], "consulUrl" | "key" | "ttlMs">;
};

export interface ConsulProxy {
  /** The URL for LiteFS and the launcher, with the token and path of the servers' URLs. */
  readonly url: string;
  close(): Promise<void>;
}

interface Upstream {
  readonly origin: URL;
  /** One address of the origin's hostname. */
  readonly address: string;
}

interface ConsulRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface ConsulResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Listens on a free port of this machine until closed. Every address of the hostnames in
 * FLY_CONSUL_URL is a server. Responds with 503 if none responds in time. Responses pass through
 * unchanged, except for another primary's URL in the lease.
 */
export async function startConsulProxy({
  instance,
  lease: { consulUrl, key, ttlMs },
}: ProxySettings): Promise<ConsulProxy> {
  const servers = parseConsulUrls(consulUrl);
  const leasePath = `/v1/kv/${[servers.path, key].join("/").split("/").filter(Boolean).join("/")}`;
  const relay = createLeaseRelay(instance);
  const findUpstreams = createResolver(servers);
  const send = createSender();
  let preferred = "";
  let isReachable = true;
  /**
   * LiteFS registers a node for its sessions when it starts, and exits if it can't. So the proxy
   * accepts that at any time, and registers the node before each new session, even in a Consul
   * that has lost its data.
   */
  let registration: ConsulRequest | null = null;
  /** The newest session, and when it was created or renewed. */
  let lease = { session: "", atMs: 0 };

  /**
   * LiteFS retries a failed renewal, unless less than a second of the TTL is left; then it gives up
   * the lease. So a renewal fails only then, however long the servers hang.
   */
  function deadlineOf({ path }: ConsulRequest): number {
    return path === RENEW_PATH + lease.session
      ? lease.atMs + ttlMs - LAST_RETRY_MS
      : performance.now() + REQUEST_TIMEOUT_MS;
  }

  function noteLease({ path }: ConsulRequest, { status, body }: ConsulResponse): void {
    if (status !== 200) return;
    const session = path.startsWith(RENEW_PATH)
      ? path.slice(RENEW_PATH.length)
      : path.startsWith("/v1/session/create")
        ? (JSON.parse(body.toString()) as { ID: string }).ID
        : null;
    if (session) lease = { session, atMs: performance.now() };
  }

  /** Tries one server after the other. Returns null at the deadline, or once `canceled` aborts. */
  async function requestConsul(
    request: ConsulRequest,
    canceled: AbortSignal,
  ): Promise<ConsulResponse | null> {
    const deadlineMs = deadlineOf(request);
    let reason = "";
    while (!canceled.aborted) {
      for (const upstream of startWith(preferred, await findUpstreams())) {
        const leftMs = deadlineMs - performance.now();
        if (leftMs <= 0 || canceled.aborted) break;
        const timeout = AbortSignal.timeout(Math.ceil(Math.min(leftMs, ATTEMPT_TIMEOUT_MS)));
        const response = await send(upstream, request, [timeout, canceled]).catch(
          (error: Error) => error,
        );
        if (canceled.aborted) return null;
        if (!(response instanceof Error) && !lacksLeader(response)) {
          setPreferred(upstream, reason);
          noteLease(request, response);
          return response;
        }
        reason = `${upstream.address}: ${response instanceof Error ? response.message : response.body.toString().trim().slice(0, 200)}`;
      }
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) break;
      await sleep(Math.min(leftMs, ROUND_PAUSE_MS));
    }
    if (canceled.aborted) return null;
    if (isReachable)
      logEvent("error", "supervisor.consul_unreachable", {
        reason: reason || "DNS names no server",
      });
    isReachable = false;
    return null;
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url: path = "/", headers } = request;
    const body = await readBody(request);
    if (!body) return void response.writeHead(413).end();
    const consulRequest = { method, path, headers, body };
    if (path.startsWith("/v1/catalog/register")) {
      registration = consulRequest;
      return void response.writeHead(200, { "content-type": "application/json" }).end("true");
    }
    const closed = new AbortController();
    response.once("close", () => closed.abort());
    if (registration && path.startsWith("/v1/session/create"))
      await requestConsul(registration, closed.signal);
    const consulResponse = await requestConsul(consulRequest, closed.signal);
    if (!consulResponse) {
      if (!response.destroyed) response.writeHead(503).end("No Consul server responded.\n");
      return;
    }
    const isLease =
      method === "GET" && path.split("?")[0] === leasePath && consulResponse.status === 200;
    const sent = isLease
      ? { ...consulResponse, body: await relay.relayLease(consulResponse.body) }
      : consulResponse;
    response.writeHead(sent.status, headersOf(sent)).end(sent.body);
  }

  function setPreferred({ address }: Upstream, reason: string): void {
    if (!isReachable) logEvent("info", "supervisor.consul_reachable", { server: address });
    else if (reason && preferred !== address)
      logEvent("warn", "supervisor.consul_failover", { from: preferred, to: address, reason });
    isReachable = true;
    preferred = address;
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      logEvent("error", "supervisor.consul_proxy_failed", { error });
      response.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${servers.token ? `:${servers.token}@` : ""}127.0.0.1:${port}${servers.path}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await relay.close();
    },
  };
}

const lacksLeader = ({ status, body }: ConsulResponse): boolean =>
  status > 500 || (status === 500 && NO_LEADER.test(body.toString()));

function headersOf({ headers, body }: ConsulResponse): Record<string, string | string[] | number> {
  const forwarded = Object.entries(headers).filter(
    ([name, value]) =>
      value !== undefined && !["connection", "keep-alive", "transfer-encoding"].includes(name),
  );
  return {
    ...(Object.fromEntries(forwarded) as Record<string, string | string[]>),
    "content-length": body.length,
  };
}

/** Returns the upstreams with the one at `address` first. */
function startWith(address: string, upstreams: readonly Upstream[]): readonly Upstream[] {
  const first = upstreams.findIndex((each) => each.address === address);
  return first <= 0 ? upstreams : [...upstreams.slice(first), ...upstreams.slice(0, first)];
}

/** Returns the body; null if it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Resolves hostnames to all their addresses. While DNS fails, keeps the last known ones. */
function createResolver({ origins }: ConsulServers): () => Promise<readonly Upstream[]> {
  const known = new Map<string, { addresses: readonly string[]; atMs: number }>();
  async function resolveHost(host: string): Promise<readonly string[]> {
    if (isIP(host)) return [host];
    const cached = known.get(host);
    if (cached && performance.now() - cached.atMs < DNS_TTL_MS) return cached.addresses;
    const timeout = new AbortController();
    const addresses = await Promise.race([
      lookup(host, { all: true }).then((found) => found.map(({ address }) => address)),
      sleep(DNS_TIMEOUT_MS, null, { signal: timeout.signal }),
    ]).catch(() => null);
    timeout.abort();
    if (addresses) known.set(host, { addresses, atMs: performance.now() });
    return addresses ?? cached?.addresses ?? [];
  }
  return async () =>
    (
      await Promise.all(
        origins.map(async (origin) =>
          (await resolveHost(origin.hostname.replace(/^\[|\]$/g, ""))).map((address) => ({
            origin,
            address,
          })),
        ),
      )
    ).flat();
}

/** Returns a function that sends a request to one server. Rejects once a signal is aborted. */
function createSender() {
  const agents = {
    http: new HttpAgent({ keepAlive: true }),
    https: new HttpsAgent({ keepAlive: true }),
  };
  return ({ origin, address }: Upstream, request: ConsulRequest, signals: AbortSignal[]) =>
    new Promise<ConsulResponse>((resolve, reject) => {
      const isSecure = origin.protocol === "https:";
      // Without compression, which would hide the session and the lease.
      const { connection: _, "accept-encoding": __, ...headers } = request.headers;
      const outgoing = (isSecure ? httpsRequest : httpRequest)(
        {
          host: address,
          port: origin.port || (isSecure ? 443 : 80),
          ...(isSecure && { servername: origin.hostname }),
          agent: isSecure ? agents.https : agents.http,
          method: request.method,
          path: request.path,
          headers: { ...headers, host: origin.host, "content-length": request.body.length },
          signal: AbortSignal.any(signals),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 502,
              headers: response.headers,
              body: Buffer.concat(chunks),
            }),
          );
          response.on("error", reject);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(request.body);
    });
}
