import { type RequestListener, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PeerError, requestPeer } from "./request-peer.ts";
import { streamClusterEvents } from "./cluster-events.ts";
import { readCluster } from "./read-cluster.ts";
import { watchCluster } from "./watch-cluster.ts";
import { GET as status } from "#app/internal/status/route.ts";
import { setClock } from "#lib/core/clock.ts";
import type { ClusterView } from "./node-view.ts";
import { env } from "#lib/core/env.ts";
import { peekSingleton, resetSingleton } from "#lib/core/singleton.ts";
import { overrideEnv } from "#tests/support/override-env.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");
const servers: Server[] = [];
let asked: string[] = [];

/** Serves a cluster node at 127.0.3.N, on the shared port. */
async function node(at: number, answer: RequestListener, port = 0): Promise<number> {
  const server = createServer((request, response) => {
    asked.push(`127.0.3.${at} ${request.method} ${request.url}`);
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve, reject) =>
    server.once("error", reject).listen(port, `127.0.3.${at}`, resolve),
  );
  return (server.address() as AddressInfo).port;
}

const says =
  (value: unknown): RequestListener =>
  (_, response) =>
    void response.setHeader("content-type", "application/json").end(JSON.stringify(value));
const said = (more: object) => ({
  instance: "x",
  region: "ams",
  role: "replica",
  primary: "dfw-1",
  candidate: false,
  txid: 1_230,
  checksum: "8",
  lagMs: 4,
  silenceMs: 200,
  version: "v2",
  startedAt: NOW - 60_000,
  standbys: [],
  ...more,
});

/** Runs the real route handler of a peer. */
const handler: RequestListener = (request, response) => {
  const headers = new Headers(
    Object.entries(request.headers).map(
      ([name, value]) => [name, String(value)] as [string, string],
    ),
  );
  const answer = status(new Request(`http://x${request.url}`, { headers }));
  void answer
    .text()
    .then((text) =>
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(text),
    );
};

beforeEach(() => {
  setClock(NOW);
  asked = [];
  writeFileSync(join(env.DATA_DIR, "lectern.db-pos"), "00000000000004d2/8000000000000001\n");
  overrideEnv({
    REPLICATION: "on",
    FLY_LITEFS_DIR: env.DATA_DIR,
    SESSION_SECRET: "x".repeat(40),
    INSTANCE: "ams-1",
    FLY_REGION: "ams",
    LOG_LEVEL: "error",
  });
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  resetSingleton("cluster-nodes");
  overrideEnv({
    REPLICATION: undefined,
    FLY_LITEFS_DIR: undefined,
    SESSION_SECRET: undefined,
    INSTANCE: undefined,
    FLY_REGION: undefined,
    CLUSTER_NODES: undefined,
    PORT: undefined,
  });
});

test("all nodes are listed, unreachable ones with the time since they are unreachable", async () => {
  const port = await node(
    1,
    says(said({ region: "dfw", role: "primary", txid: 1_240, lagMs: 0, candidate: true })),
  );
  await node(2, says(said({ region: "syd", txid: 1_238, lagMs: 110 })), port);
  await node(3, () => {}, port); // accepts the request but never responds
  await node(4, says({ unheard: "of" }), port);
  overrideEnv({
    PORT: String(port),
    CLUSTER_NODES:
      "dfw-1@dfw=127.0.3.1,syd-1@syd=127.0.3.2,maa-1@maa=127.0.3.3,gru-1@gru=127.0.3.4,hkg-1@hkg=127.0.3.5,ams-1@ams=127.0.3.6",
  });
  // Repeated, because on a busy machine a node may miss the one-second deadline.
  await vi.waitFor(async () => {
    const began = performance.now();
    const { nodes, isReplicated } = await readCluster();
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(isReplicated).toBe(true);
    expect(
      nodes.map(({ instance, region, role, txid, behind, behindMs, unreachableSinceMs }) => [
        instance,
        region,
        role,
        txid,
        behind,
        behindMs,
        unreachableSinceMs === null,
      ]),
    ).toEqual([
      ["ams-1", "ams", "unknown", 1_234, 6, null, true],
      ["dfw-1", "dfw", "primary", 1_240, 0, 0, true],
      ["gru-1", "gru", "unknown", null, null, null, false],
      ["hkg-1", "hkg", "unknown", null, null, null, false],
      ["maa-1", "maa", "unknown", null, null, null, false],
      ["syd-1", "syd", "replica", 1_238, 2, 110, true],
    ]);
  }, 20_000);
  setClock(NOW + 30_000);
  const again = await readCluster();
  const sinceMs = again.nodes.find(({ instance }) => instance === "hkg-1")!.unreachableSinceMs!;
  expect(sinceMs - NOW).toBeLessThan(10_000);
});

test("an unreachable node keeps its last status without its role", async () => {
  const port = await node(1, says(said({ txid: 1_230, version: "v1" })));
  overrideEnv({ PORT: String(port), CLUSTER_NODES: "syd-1@syd=127.0.3.1" });
  await vi.waitFor(
    async () => expect((await readCluster()).nodes[1]).toMatchObject({ role: "replica" }),
    20_000,
  );
  servers[0]!.closeAllConnections();
  await new Promise((resolve) => servers[0]!.close(resolve));
  expect((await readCluster()).nodes[1]).toMatchObject({
    instance: "syd-1",
    role: "unknown",
    txid: 1_230,
    version: "v1",
    behindMs: null,
  });
});

test("an instance returns its status only to signed requests", async () => {
  const port = await node(1, handler);
  overrideEnv({ PORT: String(port), CLUSTER_NODES: "syd-1@syd=127.0.3.1" });
  const peer = { instance: "syd-1", region: "syd", host: "127.0.3.1" };
  expect(
    await requestPeer(peer, {
      method: "GET",
      path: "/internal/status",
      signatureSubject: "status",
      timeoutMs: 20_000,
    }),
  ).toMatchObject({ instance: "ams-1", txid: 1_234 });
  await expect(
    requestPeer(peer, {
      method: "GET",
      path: "/internal/status",
      signatureSubject: "metrics",
      timeoutMs: 20_000,
    }),
  ).rejects.toMatchObject({ status: 404 });
  expect((await fetch(`http://127.0.3.1:${port}/internal/status`)).status).toBe(404);
});

test("a replay, an endless body or another status is a PeerError", async () => {
  const port = await node(
    1,
    (_, response) => void response.writeHead(200, { "fly-replay": "instance=x" }).end("{}"),
  );
  await node(
    2,
    (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x".repeat(60_000)), 1);
      response.once("close", () => clearInterval(timer));
    },
    port,
  );
  await node(3, (_, response) => void response.writeHead(503).end("{}"), port);
  await node(4, (_, response) => void response.end("{"), port);
  overrideEnv({ PORT: String(port) });
  for (const at of [1, 2, 3, 4, 5]) {
    const asking = requestPeer(
      { instance: `n${at}`, region: "x", host: `127.0.3.${at}` },
      { method: "GET", path: "/internal/status", signatureSubject: "status", timeoutMs: 2_000 },
    );
    await expect(asking, String(at)).rejects.toBeInstanceOf(PeerError);
  }
});

test("nodes are polled once a second while there are listeners", async () => {
  const port = await node(1, says(said({})));
  overrideEnv({ PORT: String(port), CLUSTER_NODES: "syd-1@syd=127.0.3.1" });
  const views: ClusterView[][] = Array.from({ length: 20 }, () => []);
  const fromMs = performance.now();
  const stops = views.map((seen) =>
    watchCluster({ onView: (view) => seen.push(view), onShutdown: () => {} })!,
  );
  expect(watchCluster({ onView: () => {}, onShutdown: () => {} }), "the twenty-first").toBeNull();
  await vi.waitFor(() => expect(views.every((seen) => seen.length >= 2)).toBe(true), 10_000);
  expect(asked.length).toBeLessThanOrEqual(2 + (performance.now() - fromMs) / 1_000);
  for (const stop of stops) stop();
  await vi.waitFor(
    () => expect(peekSingleton<{ isPolling: boolean }>("watch-cluster")?.isPolling).toBe(false),
    10_000,
  );
});

/** Reads the stream to its end; `look` gets all text so far with each chunk. */
async function textOf(
  stream: ReadableStream<Uint8Array>,
  look: (text: string) => void = () => {},
): Promise<string> {
  let text = "";
  for await (const chunk of stream) look((text += new TextDecoder().decode(chunk)));
  return text;
}

test("events are sent on changes, comments in between, and the stream ends when access is revoked", async () => {
  let txid = 1;
  let isAdmin = true;
  const port = await node(1, (request, response) => says(said({ txid }))(request, response));
  overrideEnv({ PORT: String(port), CLUSTER_NODES: "syd-1@syd=127.0.3.1" });
  const stream = streamClusterEvents({
    isAllowed: () => Promise.resolve(isAdmin),
    signal: new AbortController().signal,
    keepAliveMs: 200,
  })!;
  const text = await textOf(stream, (sofar) => {
    if (txid < 3 && sofar.includes(`"txid":${txid},`)) txid += 1;
    isAdmin = !/data: .*"txid":3[,}][\s\S]*\n:\n\n$/.test(sofar);
  });
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(
    ([, json]) => JSON.parse(json!) as ClusterView,
  );
  // On a busy machine, the node may be unreachable for a moment, which is also a change.
  expect([...new Set(events.map(({ nodes }) => nodes[1]!.txid))].filter(Number)).toEqual([1, 2, 3]);
  for (const [i, { nodes }] of events.slice(1).entries())
    expect(nodes).not.toEqual(events[i]!.nodes);
  expect(text).toMatch(/^retry: \d+\n\n/);
  expect(text.match(/^:$/gm)!.length).toBeGreaterThan(3);
});

test("a stream ends on cancel, at its deadline, and if access can't be checked", async () => {
  overrideEnv({ CLUSTER_NODES: undefined });
  const gone = new AbortController();
  const ended = [
    textOf(streamClusterEvents({ isAllowed: () => Promise.resolve(true), signal: gone.signal })!),
    textOf(
      streamClusterEvents({
        isAllowed: () => Promise.resolve(true),
        signal: new AbortController().signal,
        maxMs: 100,
      })!,
    ),
    textOf(
      streamClusterEvents({
        isAllowed: () => Promise.reject(new Error("no database")),
        signal: new AbortController().signal,
      })!,
    ),
    textOf(
      streamClusterEvents({ isAllowed: () => Promise.resolve(true), signal: AbortSignal.abort() })!,
    ),
  ];
  const canceled = streamClusterEvents({
    isAllowed: () => Promise.resolve(true),
    signal: new AbortController().signal,
  })!;
  await canceled.cancel();
  gone.abort();
  await Promise.all(ended);
  // All listeners were removed.
  const stops = Array.from({ length: 20 }, () =>
    watchCluster({ onView: () => {}, onShutdown: () => {} }),
  );
  expect(stops.every((stop) => stop !== null)).toBe(true);
  for (const stop of stops) stop?.();
});
