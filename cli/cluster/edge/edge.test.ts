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

const open: { stop(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()));
});

async function site(
  name: string,
  handler: Handler = echoRequest,
  options: { port?: number } = {},
): Promise<FakeInstance> {
  const started = await startFakeInstance(name, handler, options);
  open.push(started);
  return started;
}

async function setup(region: string, sites: FakeInstance[], options: Partial<EdgeOptions> = {}) {
  const started = await startEdgeFixture(region, sites, options);
  open.push(started.edge, started.health);
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

test("a request goes to the edge's own region, and to the nearest one where that has nobody", async () => {
  const [dfw, ams] = [await site("dfw-1"), await site("ams-1")];
  const near = await setup("ams", [dfw, ams]);
  const far = await setup("syd", [dfw, ams]);
  expect((await read(await fetch(near.edge.url))).name).toBe("ams-1");
  expect((await read(await fetch(far.edge.url))).name).toBe("dfw-1");
});

test("two instances of one region take turns", async () => {
  const { edge } = await setup("dfw", [await site("dfw-1"), await site("dfw-2")]);
  const names = new Set<string>();
  for (let i = 0; i < 4; i += 1) names.add((await read(await fetch(edge.url))).name);
  expect([...names].sort()).toEqual(["dfw-1", "dfw-2"]);
});

test("the edge says who asks, where and what, and lets nobody else say it", async () => {
  const { edge } = await setup("ams", [await site("ams-1")]);
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

test("fly-force-instance-id and fly-prefer-region are obeyed", async () => {
  const { edge } = await setup("ams", [
    await site("ams-1"),
    await site("dfw-1"),
    await site("dfw-2"),
  ]);
  expect(
    (await read(await fetch(edge.url, { headers: { "fly-force-instance-id": "dfw-2" } }))).name,
  ).toBe("dfw-2");
  expect(
    (await read(await fetch(edge.url, { headers: { "fly-prefer-region": "dfw" } }))).name,
  ).toMatch(/^dfw/);
  expect(
    (await read(await fetch(edge.url, { headers: { "fly-prefer-region": "syd" } }))).name,
  ).toBe("ams-1");
  expect((await fetch(edge.url, { headers: { "fly-force-instance-id": "nobody" } })).status).toBe(
    503,
  );
});

test("a replay reaches its instance with the same request, and the client sees nothing of it", async () => {
  const [ams, dfw] = [
    await site("ams-1", replayWrites("instance=dfw-1;state=w")),
    await site("dfw-1"),
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

test("a replay to a region goes there, in the order of preference, and elsewhere not back to who sent it", async () => {
  const [ams, dfw, other] = [
    await site("ams-1", replayWrites('region="syd,dfw"')),
    await site("dfw-1"),
    await site("ams-2", replayWrites("elsewhere=true")),
  ];
  const first = await setup("ams", [ams, dfw]);
  expect((await read(await fetch(first.edge.url, { method: "POST" }))).name).toBe("dfw-1");
  const second = await setup("ams", [other, dfw]);
  expect((await read(await fetch(second.edge.url, { method: "POST" }))).name).toBe("dfw-1");
});

test("a chunked body up to 1 MB is replayed, with its length", async () => {
  const { edge } = await setup("ams", [
    await site("ams-1", replayWrites("instance=dfw-1")),
    await site("dfw-1"),
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

test("a body over 1 MB arrives whole where it first goes, and can't be replayed", async () => {
  const [ams, dfw] = [await site("ams-1", replayWrites("instance=dfw-1")), await site("dfw-1")];
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

test("a replay that reaches nobody comes back with what went wrong, where a fallback was asked for", async () => {
  const gone = await startFakeInstance("dfw-1", echoRequest);
  const ams = await site("ams-1", replayWrites("instance=dfw-1;timeout=300ms;fallback=force_self"));
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
    2_000,
    () => health.listHealthy().map(({ name }) => name),
    (names) => !names.includes("dfw-1"),
  );
  expect(
    (await read(await fetch(edge.url, { method: "POST" }))).headers["fly-replay-failed"],
  ).toContain("reason=no_candidate");
});

test("a replay that reaches nobody is an error where no fallback was asked for, and a later one arrives", async () => {
  const gone = await startFakeInstance("dfw-1", echoRequest);
  const ams = await site("ams-1", replayWrites("instance=dfw-1;timeout=200ms"));
  const { edge, health } = await setup("ams", [ams, gone]);
  await gone.stop();
  expect((await fetch(edge.url, { method: "POST" })).status).toBeGreaterThanOrEqual(502);
  await site("dfw-1", echoRequest, { port: gone.port });
  await waitUntil(
    "dfw-1 is back",
    2_000,
    () => health.listHealthy().map(({ name }) => name),
    (names) => names.includes("dfw-1"),
  );
  expect((await read(await fetch(edge.url, { method: "POST" }))).name).toBe("dfw-1");
});

test("a request that came back can't be replayed again, and circles end", async () => {
  const again: Handler = (request, response) =>
    void response
      .writeHead(409, { "fly-replay": "instance=nobody;timeout=50ms;fallback=force_self" })
      .end();
  const circle: Handler = (request, response) =>
    void response.writeHead(409, { "fly-replay": "instance=ams-1" }).end();
  const first = await setup("ams", [await site("ams-1", again)]);
  expect((await fetch(first.edge.url)).status).toBe(502);
  const ams = await site("ams-1", circle);
  const second = await setup("ams", [ams]);
  expect((await fetch(second.edge.url)).status).toBe(502);
  expect(ams.requestLines.length).toBeLessThanOrEqual(11);
});

test("an instance that fails its health check gets nothing until it passes again", async () => {
  const sick = await site("ams-1");
  const proxy = await site("ams-2");
  const { edge, health } = await setup("ams", [sick, proxy]);
  await sick.stop();
  open.splice(open.indexOf(sick), 1);
  await waitUntil(
    "ams-1 is out",
    2_000,
    () => health.listHealthy().map(({ name }) => name),
    (names) => names.join() === "ams-2",
  );
  for (let i = 0; i < 4; i += 1) expect((await read(await fetch(edge.url))).name).toBe("ams-2");
  const back = await site("ams-1", echoRequest, { port: sick.port });
  await waitUntil(
    "ams-1 is back",
    2_000,
    async () => (await read(await fetch(edge.url))).name,
    (name) => name === "ams-1",
  );
  expect(back.requestLines.length).toBeGreaterThan(0);
});

test("a read whose instance breaks off before answering is asked elsewhere, a write is not", async () => {
  const dying: Handler = (request) => void request.socket.resetAndDestroy();
  const [bad, good] = [await site("ams-1", dying), await site("dfw-1")];
  const { edge } = await setup("ams", [bad, good]);
  expect((await read(await fetch(edge.url))).name).toBe("dfw-1");
  expect((await fetch(edge.url, { method: "POST", body: "text" })).status).toBe(502);
  expect(good.requestLines).toEqual(["GET /"]);
  expect(edge.counts).toMatchObject({ retry: 1, error: 1 });
});

test("a write whose connection is refused goes to another instance", async () => {
  const gone = await startFakeInstance("ams-1", echoRequest);
  const { edge } = await setup("ams", [gone, await site("dfw-1")]);
  await gone.stop();
  expect((await read(await fetch(edge.url, { method: "POST", body: "text" }))).name).toBe("dfw-1");
});

test("an instance that never answers ends in 504", async () => {
  const { edge } = await setup("ams", [await site("ams-1", () => {})], { responseTimeoutMs: 200 });
  expect((await fetch(edge.url)).status).toBe(504);
});

test("a stream flows while it is written, and ends at the instance when the client goes", async () => {
  let left = false;
  const stream: Handler = (request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: one\n\n");
    response.on("close", () => (left = true));
  };
  const { edge } = await setup("ams", [await site("ams-1", stream)], { delayMs: () => 20 });
  const stop = new AbortController();
  const response = await fetch(edge.url, { signal: stop.signal });
  const { value } = await response.body!.getReader().read();
  expect(Buffer.from(value!).toString()).toBe("data: one\n\n");
  stop.abort();
  await waitUntil("the instance sees that the client left", 2_000, () => left);
});

test("an answer that breaks off breaks off for the client too", async () => {
  const half: Handler = (request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => void sleep(20).then(() => request.socket.resetAndDestroy()));
  };
  for (const delayMs of [0, 10]) {
    const { edge } = await setup("ams", [await site("ams-1", half)], { delayMs: () => delayMs });
    const response = await fetch(edge.url);
    await expect(response.text()).rejects.toThrow();
  }
});

test("the way to an instance takes as long as it is far, also on a replay", async () => {
  const { edge } = await setup(
    "ams",
    [await site("ams-1", replayWrites("instance=dfw-1")), await site("dfw-1")],
    { delayMs: (from, to) => (from === to ? 0 : 1_000) },
  );
  await (await fetch(edge.url)).text();
  const start = performance.now();
  const near = await fetch(edge.url);
  await near.text();
  const nearMs = performance.now() - start;
  const again = performance.now();
  expect((await read(await fetch(edge.url, { method: "POST", body: "x" }))).name).toBe("dfw-1");
  const farMs = performance.now() - again;
  expect(nearMs).toBeLessThan(1_000);
  expect(farMs).toBeGreaterThanOrEqual(2_000);
});

test("cookies and repeated headers of an answer stay as they are", async () => {
  const { edge } = await setup("ams", [
    await site(
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

test("an edge that ended leaves no connection at an instance", async () => {
  const ams = await site("ams-1");
  const { edge, health } = await setup("ams", [ams]);
  health.stop();
  await Promise.all(Array.from({ length: 200 }, async () => (await fetch(edge.url)).text()));
  expect(ams.requestLines).toHaveLength(200);
  expect(edge.listEvents()).toEqual([]);
  await edge.stop();
  await waitUntil(
    "the instance has no connections",
    2_000,
    () => ams.countConnections(),
    (count) => count === 0,
  );
});
