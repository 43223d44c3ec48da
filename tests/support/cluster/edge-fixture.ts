// Small real HTTP servers that stand for instances, and edges in front of them, for the tests of the edge.

import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type Edge, type EdgeOptions, startEdge } from "#cli/cluster/edge/edge.ts";
import {
  type HealthChecks,
  type Instance,
  startHealthChecks,
} from "#cli/cluster/edge/instances.ts";

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
) => void | Promise<void>;

export interface FakeInstance extends Instance {
  /** Paths asked for, health checks left out. */
  requestLines: string[];
  countConnections(): Promise<number>;
  stop(): Promise<void>;
}

const ROUND_TRIPS_MS: Record<string, number> = { "ams-dfw": 110, "dfw-syd": 180, "ams-syd": 255 };
export const roundTripMs = (from: string, to: string) =>
  from === to ? 0 : (ROUND_TRIPS_MS[[from, to].sort().join("-")] ?? 150);

/** An instance in `region` that answers health checks itself and everything else with `handler`. */
export async function startFakeInstance(
  name: string,
  handler: Handler,
  { port = 0 } = {},
): Promise<FakeInstance> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/healthz") return void response.end("ok");
    asked.push(`${request.method} ${request.url}`);
    void handler(request, response, name);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    name,
    region: name.slice(0, 3),
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    requestLines: asked,
    countConnections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

export interface EdgeFixture {
  edge: Edge;
  health: HealthChecks;
}

/** An edge in `region` in front of `sites`, which were checked once. */
export async function startEdgeFixture(
  region: string,
  sites: readonly Instance[],
  options: Partial<EdgeOptions> = {},
): Promise<EdgeFixture> {
  const health = startHealthChecks({ instances: sites, intervalMs: 50 });
  await health.checkAll();
  return {
    health,
    edge: await startEdge({
      region,
      port: 0,
      health,
      roundTripMs,
      delayMs: () => 0,
      instanceTimeoutMs: 500,
      ...options,
    }),
  };
}

/** Answers with what it was asked: its name, the headers and the body. */
export const echoRequest: Handler = async (request, response, name) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      name,
      method: request.method,
      path: request.url,
      headers: request.headers,
      length: body.length,
      body: body.subarray(0, 200).toString(),
    }),
  );
};

/** Sends writes on with this fly-replay, and answers the rest as `echo` does. A request that came back is answered. */
export const replayWrites =
  (value: string): Handler =>
  (request, response, name) => {
    if (request.method === "GET" || request.headers["fly-replay-failed"])
      return echoRequest(request, response, name);
    request.resume();
    response.writeHead(409, { "fly-replay": value, "set-cookie": "secret=1" }).end("Fly Replay");
  };
