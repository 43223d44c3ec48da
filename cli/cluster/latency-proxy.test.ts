import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { type LinkState, type LatencyProxy, startLatencyProxy } from "./latency-proxy.ts";
import { findConnectionOwner } from "./process-sessions.ts";
import { waitUntil } from "./wait-until.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A server that sends back what it gets, behind a link whose length and joint the test sets. */
async function setup() {
  const server: Server = createServer(
    { allowHalfOpen: true },
    (socket) => void socket.on("error", () => {}).pipe(socket),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(() => server.close());
  const way: { joint: LinkState; delayMs: number; link?: LatencyProxy; port: number } = {
    joint: "open",
    delayMs: 0,
    port: 0,
  };
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  way.port = (free.address() as AddressInfo).port;
  await new Promise((resolve) => free.close(resolve));
  const link = await startLatencyProxy({
    listen: { address: "127.0.0.1", port: way.port },
    target: { address: "127.0.0.1", port: (server.address() as AddressInfo).port },
    findSource: () => "somebody",
    delayMs: () => way.delayMs,
    linkState: () => way.joint,
  });
  open.push(() => link.close());
  const turn = (joint: LinkState) => {
    way.joint = joint;
    link.applyLinkState();
  };
  return { way, link, turn };
}

function client(port: number): { socket: Socket; got: () => string; failed: () => string | null } {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let [text, error]: [string, string | null] = ["", null];
  socket
    .on("data", (data) => (text += data.toString()))
    .on("error", ({ message }) => (error = message));
  open.push(() => socket.destroy());
  return { socket, got: () => text, failed: () => error };
}

test("bytes come back in order, and later by both ways", async () => {
  const { way } = await setup();
  way.delayMs = 100;
  const { socket, got } = client(way.port);
  const start = performance.now();
  for (const part of ["one ", "two ", "three"]) socket.write(part);
  await waitUntil("all is back", 5_000, got, (text) => text === "one two three");
  expect(performance.now() - start).toBeGreaterThanOrEqual(200);
});

test("a silent way loses nothing, tells nobody, and goes on when it is healed", async () => {
  const { way, turn } = await setup();
  const { socket, got, failed } = client(way.port);
  socket.write("before ");
  await waitUntil("the first part is back", 5_000, got, (text) => text === "before ");
  turn("silent");
  socket.write("meanwhile ");
  const late = client(way.port);
  late.socket.write("new");
  await sleep(100);
  expect([got(), failed(), late.got(), late.failed()]).toEqual(["before ", null, "", null]);
  turn("open");
  await waitUntil(
    "the second part is back",
    5_000,
    () => [got(), late.got()],
    ([first, second]) => first === "before meanwhile " && second === "new",
  );
});

test("a way that is reset breaks connections, and new ones too", async () => {
  const { way, turn, link } = await setup();
  const first = client(way.port);
  first.socket.write("x");
  await waitUntil("it is connected", 5_000, first.got, (text) => text === "x");
  turn("reset");
  await waitUntil(
    "it breaks",
    5_000,
    first.failed,
    (error) => error?.includes("ECONNRESET") ?? false,
  );
  const second = client(way.port);
  second.socket.write("x");
  await waitUntil("a new one breaks", 5_000, () => second.failed() ?? second.socket.closed);
  await waitUntil(
    "none is left",
    5_000,
    () => link.countConnections(),
    (count) => count === 0,
  );
});

test("the end of one direction travels, and the other goes on", async () => {
  const { way, link } = await setup();
  way.delayMs = 20;
  const { socket, got } = client(way.port);
  socket.end("last words");
  await once(socket, "end");
  expect(got()).toBe("last words");
  await waitUntil(
    "none is left",
    5_000,
    () => link.countConnections(),
    (count) => count === 0,
  );
});

test("much more than fits on the way arrives whole", async () => {
  const { way } = await setup();
  way.delayMs = 5;
  const { socket } = client(way.port);
  let length = 0;
  socket.on("data", (data) => (length += data.length));
  socket.end(Buffer.alloc(20 * 1024 * 1024, "x"));
  await waitUntil(
    "all is back",
    20_000,
    () => length,
    (bytes) => bytes === 20 * 1024 * 1024,
  );
});

test("who dials is found by the socket, though loopback shows no address", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  open.push(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, "connection") as Promise<[Socket]>;
  client(port);
  const [socket] = await accepted;
  const [local, remote] = [
    { address: "127.0.0.1", port },
    { address: socket.remoteAddress!, port: socket.remotePort! },
  ];
  const session = Number(
    /^.*\) \S+ \S+ \S+ (\S+)/s.exec(readFileSync("/proc/self/stat", "latin1"))![1],
  );
  expect(findConnectionOwner(new Map([["us", session]]), local, remote)).toBe("us");
  expect(findConnectionOwner(new Map([["others", 1]]), local, remote)).toBeNull();
  socket.destroy();
});
