import { request as send } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import type { EdgeOptions } from "./edge.ts";
import {
  type Handler,
  type FakeInstance,
  echoRequest,
  replayWrites,
  startEdgeFixture,
  startFakeInstance,
} from "#tests/support/cluster/edge-fixture.ts";

const running: { stop(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function startInstance(
  name: string,
  handler: Handler = echoRequest,
  options: { port?: number } = {},
): Promise<FakeInstance> {
  const started = await startFakeInstance(name, handler, options);
  running.push(started);
  return started;
}

async function setup(
  region: string,
  instances: FakeInstance[],
  options: Partial<EdgeOptions> = {},
) {
  const started = await startEdgeFixture(region, instances, options);
  running.push(started.edge, started.health);
  return started;
}

interface Echoed {
  name: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  length: number;
  body: string;
}
const read = async (response: Response) => (await response.json()) as Echoed;

test("a request goes to the edge's region, or to the nearest region with a healthy instance", async () => {
  const [dfw, ams] = [await startInstance("dfw-1"), await startInstance("ams-1")];
  const near = await setup("ams", [dfw, ams]);
  const far = await setup("syd", [dfw, ams]);
  expect((await read(await fetch(near.edge.url))).name).toBe("ams-1");
  expect((await read(await fetch(far.edge.url))).name).toBe("dfw-1");
});

test("two instances of one region are used round-robin", async () => {
  const { edge } = await setup("dfw", [await startInstance("dfw-1"), await startInstance("dfw-2")]);
  const names = new Set<string>();
  for (let i = 0; i < 4; i += 1) names.add((await read(await fetch(edge.url))).name);
  expect([...names].sort()).toEqual(["dfw-1", "dfw-2"]);
});

test("the edge sets Fly's headers and drops the client's", async () => {
  const { edge } = await setup("ams", [await startInstance("ams-1")]);
  const response = await fetch(`${edge.url}/a?b=c`, {
    headers: {
      "fly-client-ip": "6.6.6.6",
      "fly-region": "xxx",
      "fly-request-id": "mine",
      "fly-replay-src": "instance=x",
      "fly-replay-failed": "reason=timeout",
      "x-forwarded-for": "7.7.7.7",
      "x-forwarded-proto": "https",
      "x-own": "kept",
    },
  });
  const { headers, path } = await read(response);
  expect(path).toBe("/a?b=c");
  expect(headers).toMatchObject({
    "fly-client-ip": expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
    "fly-region": "ams",
    "x-forwarded-proto": "http",
    "x-own": "kept",
    host: new URL(edge.url).host,
  });
  expect(headers["x-forwarded-for"]).toMatch(/^7\.7\.7\.7, (127\.0\.0\.1|::1), /);
  expect(headers["fly-request-id"]).toMatch(/-ams$/);
  expect(response.headers.get("fly-request-id")).toBe(headers["fly-request-id"]);
  expect(headers).not.toHaveProperty("fly-replay-src");
  expect(headers).not.toHaveProperty("fly-replay-failed");
});

test("fly-force-instance-id and fly-prefer-region are honored", async () => {
  const { edge } = await setup(
    "ams",
    [await startInstance("ams-1"), await startInstance("dfw-1"), await startInstance("dfw-2")],
    { instanceTimeoutMs: 500 },
  );
  expect(
    (await read(await fetch(edge.url, { headers: { "fly-force-instance-id": "dfw-2" } }))).name,
  ).toBe("dfw-2");
  expect(
    (await read(await fetch(edge.url, { headers: { "fly-prefer-region": "dfw" } }))).name,
  ).toMatch(/^dfw/);
  expect(
    (await read(await fetch(edge.url, { headers: { "fly-prefer-region": "syd" } }))).name,
  ).toBe("ams-1");
  expect((await fetch(edge.url, { headers: { "fly-force-instance-id": "unknown" } })).status).toBe(
    503,
  );
});

test("a replay sends the same request to its instance, invisibly to the client", async () => {
  const [ams, dfw] = [
    await startInstance("ams-1", replayWrites("instance=dfw-1;state=w")),
    await startInstance("dfw-1"),
  ];
  const { edge } = await setup("ams", [ams, dfw]);
  const before = Date.now() * 1_000;
  const response = await fetch(`${edge.url}/write?x=1`, {
    method: "POST",
    body: "text",
    headers: { "content-type": "text/plain" },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("fly-replay")).toBeNull();
  expect(response.headers.get("set-cookie")).toBeNull();
  const { headers, ...seen } = await read(response);
  expect(seen).toEqual({
    name: "dfw-1",
    method: "POST",
    path: "/write?x=1",
    length: 4,
    body: "text",
  });
  const source = Object.fromEntries(
    headers["fly-replay-src"]!.split(";").map((field) => field.split("=")),
  );
  expect(source).toMatchObject({ instance: "ams-1", region: "ams", state: "w" });
  expect(Number(source.t)).toBeGreaterThanOrEqual(before);
  expect(headers).toMatchObject({
    "content-type": "text/plain",
    "content-length": "4",
    "fly-region": "ams",
  });
  expect(edge.counts).toMatchObject({ requests: 1, replay: 1, error: 0 });
});

test("a replay follows the order of regions, and elsewhere=true excludes its source", async () => {
  const [ams, dfw, other] = [
    await startInstance("ams-1", replayWrites('region="syd,dfw"')),
    await startInstance("dfw-1"),
    await startInstance("ams-2", replayWrites("elsewhere=true")),
  ];
  const first = await setup("ams", [ams, dfw]);
  expect((await read(await fetch(first.edge.url, { method: "POST" }))).name).toBe("dfw-1");
  const second = await setup("ams", [other, dfw]);
  expect((await read(await fetch(second.edge.url, { method: "POST" }))).name).toBe("dfw-1");
});

test("a chunked body up to 1 MB is replayed with Content-Length", async () => {
  const { edge } = await setup("ams", [
    await startInstance("ams-1", replayWrites("instance=dfw-1")),
    await startInstance("dfw-1"),
  ]);
  const parts = (async function* () {
    for (let i = 0; i < 10; i += 1) yield Buffer.alloc(100_000, "x");
  })();
  const { length, headers } = await read(
    await fetch(edge.url, {
      method: "POST",
      body: Readable.toWeb(Readable.from(parts)),
      duplex: "half",
    } as unknown as RequestInit),
  );
  expect(length).toBe(1_000_000);
  expect(headers["content-length"]).toBe("1000000");
});

test("a body over 1 MB is forwarded completely but can't be replayed", async () => {
  const [ams, dfw] = [
    await startInstance("ams-1", replayWrites("instance=dfw-1")),
    await startInstance("dfw-1"),
  ];
  const { edge } = await setup("ams", [ams, dfw]);
  const body = Buffer.alloc(3_000_000, "x");
  expect((await fetch(edge.url, { method: "POST", body })).status).toBe(502);
  expect(dfw.requestLines).toEqual([]);
  expect(edge.counts["too-large"]).toBe(1);
  const forced = await read(
    await fetch(edge.url, { method: "POST", body, headers: { "fly-force-instance-id": "dfw-1" } }),
  );
  expect(forced).toMatchObject({ name: "dfw-1", length: 3_000_000 });
});

test("a failed replay with a fallback returns with fly-replay-failed", async () => {
  const gone = await startFakeInstance("dfw-1", echoRequest);
  const ams = await startInstance(
    "ams-1",
    replayWrites("instance=dfw-1;timeout=300ms;fallback=force_self"),
  );
  const { edge, health } = await setup("ams", [ams, gone]);
  await gone.stop();
  const refused = await read(await fetch(edge.url, { method: "POST", body: "text" }));
  expect(refused).toMatchObject({ name: "ams-1", body: "text" });
  expect(refused.headers["fly-replay-failed"]).toMatch(
    /^instance=dfw-1;replay_source=ams-1;reason=(timeout|retries_exhausted|no_candidate);elapsed_ms=\d+$/,
  );
  expect(refused.headers).not.toHaveProperty("fly-replay-src");
  await waitUntil(
    "dfw-1 is out",
    10_000,
    () => health.listHealthy().map(({ name }) => name),
    (names) => !names.includes("dfw-1"),
  );
  expect(
    (await read(await fetch(edge.url, { method: "POST" }))).headers["fly-replay-failed"],
  ).toContain("reason=no_candidate");
});

test("a failed replay without a fallback is an error, and a later one succeeds", async () => {
  const gone = await startFakeInstance("dfw-1", echoRequest);
  const ams = await startInstance("ams-1", replayWrites("instance=dfw-1;timeout=200ms"));
  const { edge, health } = await setup("ams", [ams, gone]);
  await gone.stop();
  expect((await fetch(edge.url, { method: "POST" })).status).toBeGreaterThanOrEqual(502);
  await startInstance("dfw-1", echoRequest, { port: gone.port });
  await waitUntil(
    "dfw-1 is back",
    10_000,
    () => health.listHealthy().map(({ name }) => name),
    (names) => names.includes("dfw-1"),
  );
  expect((await read(await fetch(edge.url, { method: "POST" }))).name).toBe("dfw-1");
});

test("a returned request can't be replayed again, and replay loops end", async () => {
  const again: Handler = (request, response) =>
    void response
      .writeHead(409, { "fly-replay": "instance=unknown;timeout=50ms;fallback=force_self" })
      .end();
  const circle: Handler = (request, response) =>
    void response.writeHead(409, { "fly-replay": "instance=ams-1" }).end();
  const first = await setup("ams", [await startInstance("ams-1", again)]);
  expect((await fetch(first.edge.url)).status).toBe(502);
  const ams = await startInstance("ams-1", circle);
  const second = await setup("ams", [ams]);
  expect((await fetch(second.edge.url)).status).toBe(502);
  expect(ams.requestLines.length).toBeLessThanOrEqual(11);
});

test("an instance gets no requests while its health check fails", async () => {
  const sick = await startInstance("ams-1");
  const proxy = await startInstance("ams-2");
  const { edge, health } = await setup("ams", [sick, proxy]);
  await sick.stop();
  running.splice(running.indexOf(sick), 1);
  await waitUntil(
    "ams-1 is out",
    10_000,
    () => health.listHealthy().map(({ name }) => name),
    (names) => names.join() === "ams-2",
  );
  for (let i = 0; i < 4; i += 1) expect((await read(await fetch(edge.url))).name).toBe("ams-2");
  const back = await startInstance("ams-1", echoRequest, { port: sick.port });
  await waitUntil(
    "ams-1 is back",
    10_000,
    async () => (await read(await fetch(edge.url))).name,
    (name) => name === "ams-1",
  );
  expect(back.requestLines.length).toBeGreaterThan(0);
});

test("a read is retried when its connection breaks, a write is not", async () => {
  const dying: Handler = (request) => void request.socket.resetAndDestroy();
  const [bad, good] = [await startInstance("ams-1", dying), await startInstance("dfw-1")];
  const { edge } = await setup("ams", [bad, good]);
  expect((await read(await fetch(edge.url))).name).toBe("dfw-1");
  expect((await fetch(edge.url, { method: "POST", body: "text" })).status).toBe(502);
  expect(good.requestLines).toEqual(["GET /"]);
  expect(edge.counts).toMatchObject({ retry: 1, error: 1 });
});

test("a write is retried when its connection is refused", async () => {
  const gone = await startFakeInstance("ams-1", echoRequest);
  const { edge } = await setup("ams", [gone, await startInstance("dfw-1")]);
  await gone.stop();
  expect((await read(await fetch(edge.url, { method: "POST", body: "text" }))).name).toBe("dfw-1");
});

test("an instance that never responds causes a 504", async () => {
  const { edge } = await setup("ams", [await startInstance("ams-1", () => {})], {
    responseTimeoutMs: 200,
  });
  expect((await fetch(edge.url)).status).toBe(504);
});

test("a response streams, and its instance notices when the client disconnects", async () => {
  let left = false;
  const stream: Handler = (request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: one\n\n");
    response.on("close", () => (left = true));
  };
  const { edge } = await setup("ams", [await startInstance("ams-1", stream)], {
    delayMs: () => 20,
  });
  const stop = new AbortController();
  const response = await fetch(edge.url, { signal: stop.signal });
  const { value } = await response.body!.getReader().read();
  expect(Buffer.from(value!).toString()).toBe("data: one\n\n");
  stop.abort();
  await waitUntil("the instance sees that the client left", 10_000, () => left);
});

test("a response that is cut off is cut off for the client too", async () => {
  const half: Handler = (request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => void sleep(20).then(() => request.socket.resetAndDestroy()));
  };
  for (const delayMs of [0, 10]) {
    const { edge } = await setup("ams", [await startInstance("ams-1", half)], {
      delayMs: () => delayMs,
    });
    const response = await fetch(edge.url);
    await expect(response.text()).rejects.toThrow();
  }
});

test("requests and replays have the latency between regions", async () => {
  const { edge } = await setup(
    "ams",
    [await startInstance("ams-1", replayWrites("instance=dfw-1")), await startInstance("dfw-1")],
    { delayMs: (from, to) => (from === to ? 0 : 1_000) },
  );
  await (await fetch(edge.url)).text();
  const measureNear = async () => {
    const start = performance.now();
    await (await fetch(edge.url)).text();
    return performance.now() - start;
  };
  // The minimum, because a busy machine may be slow once.
  const nearMs = Math.min(await measureNear(), await measureNear(), await measureNear());
  const again = performance.now();
  expect((await read(await fetch(edge.url, { method: "POST", body: "x" }))).name).toBe("dfw-1");
  const farMs = performance.now() - again;
  expect(nearMs).toBeLessThan(1_000);
  expect(farMs).toBeGreaterThanOrEqual(2_000);
});

test("cookies and repeated response headers are passed unchanged", async () => {
  const { edge } = await setup("ams", [
    await startInstance(
      "ams-1",
      (request, response) =>
        void response.writeHead(303, { location: "/there", "set-cookie": ["a=1", "b=2"] }).end(),
    ),
  ]);
  const seen = await new Promise<{ status?: number; cookies?: string[]; location?: string }>(
    (resolve) =>
      send(edge.url, (response) =>
        resolve({
          status: response.statusCode,
          cookies: response.headers["set-cookie"],
          location: response.headers.location,
        }),
      ).end(),
  );
  expect(seen).toEqual({ status: 303, cookies: ["a=1", "b=2"], location: "/there" });
});

test("a stopped edge leaves no connection at an instance", async () => {
  const ams = await startInstance("ams-1");
  const { edge, health } = await setup("ams", [ams]);
  health.stop();
  await Promise.all(Array.from({ length: 200 }, async () => (await fetch(edge.url)).text()));
  expect(ams.requestLines).toHaveLength(200);
  expect(edge.listEvents()).toEqual([]);
  await edge.stop();
  await waitUntil(
    "the instance has no connections",
    10_000,
    () => ams.countConnections(),
    (count) => count === 0,
  );
});
