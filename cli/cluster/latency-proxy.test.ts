import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { findFreePort } from "#tests/support/free-port.ts";
import { type LinkState, startLatencyProxy } from "./latency-proxy.ts";
import { findConnectionOwner } from "./process-sessions.ts";
import { waitUntil } from "./wait-until.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Starts an echo server behind a link whose latency and state the test sets. */
async function setup() {
  const server: Server = createServer(
    { allowHalfOpen: true },
    (socket) => void socket.on("error", () => {}).pipe(socket),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => server.close());
  const link: { state: LinkState; delayMs: number; port: number } = {
    state: "open",
    delayMs: 0,
    port: 0,
  };
  link.port = await findFreePort();
  const proxy = await startLatencyProxy({
    listen: { address: "127.0.0.1", port: link.port },
    target: { address: "127.0.0.1", port: (server.address() as AddressInfo).port },
    findSource: () => "client",
    delayMs: () => link.delayMs,
    linkState: () => link.state,
  });
  cleanUps.push(() => proxy.close());
  const setLinkState = (state: LinkState) => {
    link.state = state;
    proxy.applyLinkState();
  };
  return { link, proxy, setLinkState };
}

function client(port: number): {
  socket: Socket;
  received: () => string;
  failed: () => string | null;
} {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let [text, error]: [string, string | null] = ["", null];
  socket
    .on("data", (data) => (text += data.toString()))
    .on("error", ({ message }) => (error = message));
  cleanUps.push(() => socket.destroy());
  return { socket, received: () => text, failed: () => error };
}

test("bytes return in order, delayed in both directions", async () => {
  const { link } = await setup();
  link.delayMs = 100;
  const { socket, received } = client(link.port);
  const start = performance.now();
  for (const part of ["one ", "two ", "three"]) socket.write(part);
  await waitUntil("everything has returned", 5_000, received, (text) => text === "one two three");
  expect(performance.now() - start).toBeGreaterThanOrEqual(200);
});

test("a silent link loses nothing and continues once healed", async () => {
  const { link, setLinkState } = await setup();
  const { socket, received, failed } = client(link.port);
  socket.write("before ");
  await waitUntil("the first part has returned", 5_000, received, (text) => text === "before ");
  setLinkState("silent");
  socket.write("meanwhile ");
  const late = client(link.port);
  late.socket.write("new");
  await sleep(100);
  expect([received(), failed(), late.received(), late.failed()]).toEqual([
    "before ",
    null,
    "",
    null,
  ]);
  setLinkState("open");
  await waitUntil(
    "the second part has returned",
    5_000,
    () => [received(), late.received()],
    ([first, second]) => first === "before meanwhile " && second === "new",
  );
});

test("a reset link breaks existing and new connections", async () => {
  const { link, proxy, setLinkState } = await setup();
  const first = client(link.port);
  first.socket.write("x");
  await waitUntil("it is connected", 5_000, first.received, (text) => text === "x");
  setLinkState("reset");
  await waitUntil(
    "the connection breaks",
    5_000,
    first.failed,
    (error) => error?.includes("ECONNRESET") ?? false,
  );
  const second = client(link.port);
  second.socket.write("x");
  await waitUntil("a new connection breaks", 5_000, () => second.failed() ?? second.socket.closed);
  await waitUntil(
    "no connection is left",
    5_000,
    () => proxy.countConnections(),
    (count) => count === 0,
  );
});

test("the end of one direction is forwarded while the other continues", async () => {
  const { link, proxy } = await setup();
  link.delayMs = 20;
  const { socket, received } = client(link.port);
  socket.end("last words");
  await once(socket, "end");
  expect(received()).toBe("last words");
  await waitUntil(
    "no connection is left",
    5_000,
    () => proxy.countConnections(),
    (count) => count === 0,
  );
});

test("data beyond the in-flight limit arrives completely", async () => {
  const { link } = await setup();
  link.delayMs = 5;
  const { socket } = client(link.port);
  let length = 0;
  socket.on("data", (data) => (length += data.length));
  socket.end(Buffer.alloc(20 * 1024 * 1024, "x"));
  await waitUntil(
    "everything has returned",
    20_000,
    () => length,
    (bytes) => bytes === 20 * 1024 * 1024,
  );
});

test("a client is identified by its socket", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  cleanUps.push(() => server.close());
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
