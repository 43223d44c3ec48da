// Simulates the visible behavior of Fly's proxy in one region. It implements
// https://fly.io/docs/networking/dynamic-request-routing/ and
// https://fly.io/docs/networking/request-headers/.

import { once } from "node:events";
import { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type EdgeEvent, Router, type RouterOptions } from "./router.ts";

export interface EdgeOptions extends Pick<
  RouterOptions,
  "region" | "health" | "roundTripMs" | "delayMs"
> {
  /** 0 for any free port. */
  port: number;
  /** How long to look for an instance that accepts a request. Default: 10 s. */
  instanceTimeoutMs?: number;
  /** How long to wait for a response head. Default: 60 s. */
  responseTimeoutMs?: number;
}

export interface Edge {
  readonly region: string;
  readonly url: string;
  readonly counts: Readonly<Record<"requests" | EdgeEvent["kind"], number>>;
  /** Returns the last thousand events of requests that did not simply pass through. */
  listEvents(): readonly EdgeEvent[];
  stop(): Promise<void>;
}

/** Listens on localhost until stopped. Throws if the port is taken. */
export async function startEdge({
  port,
  instanceTimeoutMs = 10_000,
  responseTimeoutMs = 60_000,
  ...options
}: EdgeOptions): Promise<Edge> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64, maxSockets: 512 });
  const router = new Router({ ...options, instanceTimeoutMs, responseTimeoutMs, agent });
  const createListener = () =>
    createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, response) => {
      request.on("error", () => {});
      router.serve(request, response).catch(() => response.destroy());
    });

  const server = createListener();
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EADDRINUSE"
      ? new Error(`Port ${port} is in use. Stop the program there, or choose another port.`)
      : error;
  });
  const { port: actualPort } = server.address() as AddressInfo;
  // Browsers try ::1 first for localhost. Ignore errors, because the machine may lack IPv6.
  const ipv6Server = createListener();
  ipv6Server.on("error", () => {}).listen(actualPort, "::1");

  return {
    region: options.region,
    url: `http://localhost:${actualPort}`,
    counts: router.counts,
    listEvents: () => router.events,
    async stop() {
      for (const listener of [server, ipv6Server]) {
        listener.close();
        listener.closeAllConnections();
      }
      agent.destroy();
      if (server.listening) await once(server, "close");
    },
  };
}
