// Starts real HTTP servers as doubles of instances, and an edge in front of them.

import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type Edge, type EdgeOptions, startEdge } from "#cli/cluster/edge/edge.ts";
import { roundTripMs } from "#cli/cluster/region-round-trip.ts";
import {
  type HealthChecks,
  type Instance,
  startHealthChecks,
} from "#cli/cluster/edge/health-checks.ts";

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
) => void | Promise<void>;

export interface FakeInstance extends Instance {
  /** The requested methods and paths, without health checks. */
  requestLines: string[];
  countConnections(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts an instance that handles everything but health checks with `handler`. Its region is the
 * start of its name.
 */
export async function startFakeInstance(
  name: string,
  handler: Handler,
  { port = 0 } = {},
): Promise<FakeInstance> {
  const requestLines: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/healthz") return void response.end("ok");
    requestLines.push(`${request.method} ${request.url}`);
    void handler(request, response, name);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    name,
    region: name.slice(0, 3),
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    requestLines,
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

/** Starts an edge in `region` in front of `instances`, after one health check. */
export async function startEdgeFixture(
  region: string,
  instances: readonly Instance[],
  options: Partial<EdgeOptions> = {},
): Promise<EdgeFixture> {
  const health = startHealthChecks({ instances, intervalMs: 50 });
  await health.checkAll();
  return {
    health,
    edge: await startEdge({
      region,
      port: 0,
      health,
      roundTripMs,
      delayMs: () => 0,
      ...options,
    }),
  };
}

/** Responds with the request as JSON, and the name of the instance. */
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

/**
 * Returns a handler that responds to writes with this fly-replay header, and to other requests and
 * failed replays like echoRequest.
 */
export const replayWrites =
  (value: string): Handler =>
  (request, response, name) => {
    if (request.method === "GET" || request.headers["fly-replay-failed"])
      return echoRequest(request, response, name);
    request.resume();
    response.writeHead(409, { "fly-replay": value, "set-cookie": "secret=1" }).end("Fly Replay");
  };
