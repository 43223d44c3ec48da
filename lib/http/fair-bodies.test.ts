// Sends large bodies: one that has arrived before the server reads it, and some in tiny chunks.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type Socket, connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { measureMemory } from "#tests/support/measure-memory.ts";
import { createPipelineServer } from "./pipeline.ts";
import type { SiteRequest, SiteServer } from "./site-response.ts";

/** Sends a head and a body, and sets `sent` to 1 when the kernel has all of it. */
const CLIENT = `
const { connect } = require("node:net");
const { workerData: { port, head, size, sent } } = require("node:worker_threads");
const socket = connect(port, "127.0.0.1");
socket.write(head + "x".repeat(size), () => { Atomics.store(sent, 0, 1); Atomics.notify(sent, 0); });
socket.on("data", () => undefined).on("error", () => undefined);
`;
const SIZE = 900_000;
/** Node reads 64 kB at a time. */
const CHUNK_BYTES = 65_536;

let server: SiteServer;
const requests: SiteRequest[] = [];
beforeEach(async () => {
  server = createPipelineServer((request, response) => {
    if (request.url!.startsWith("/calls/upload")) request.resume();
    response.end("done");
  });
  server.prependListener("request", (request) => requests.push(request));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  requests.length = 0;
  server.closeAllConnections();
  server.close();
});

/** Returns the most bytes that were read in one turn of the event loop. */
async function mostBytesInOneTurn(path: string, type: string): Promise<number> {
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${SIZE}\r\n\r\n`;
  const { port } = server.address() as AddressInfo;
  const client = new Worker(CLIENT, { eval: true, workerData: { port, head, size: SIZE, sent } });
  try {
    await once(server, "connection");
    // The event loop stands still until everything has arrived.
    expect(Atomics.wait(sent, 0, 0, 20_000)).not.toBe("timed-out");
    let before = 0;
    let most = 0;
    while (before < SIZE) {
      await nextTurn();
      const bytes = requests[0]?.receivedBytes ?? 0;
      most = Math.max(most, bytes - before);
      before = bytes;
    }
    return most;
  } finally {
    await client.terminate();
  }
}

test.each([
  ["/login/passkey/verify", "application/json"],
  ["/login", "multipart/form-data; boundary=x"],
])("of a large body to %s, one turn of the event loop reads one chunk", async (path, type) => {
  expect(await mostBytesInOneTurn(path, type)).toBeLessThanOrEqual(2 * CHUNK_BYTES);
});

/** Sends a request with a body of `count` chunks, without its end. */
function sendChunks(headers: string, size: number, count: number): Socket {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => undefined).resume();
  socket.write(`${headers}\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
  socket.write(`${size.toString(16)}\r\n${"x".repeat(size)}\r\n`.repeat(count));
  return socket;
}

test("a body in small chunks takes little more memory than its bytes", async () => {
  const before = measureMemory();
  const socket = sendChunks("POST /login HTTP/1.1\r\nNext-Action: x", 80, 12_000);
  await vi.waitFor(() => expect(requests[0]?.receivedBytes).toBe(960_000), 10_000);
  expect(measureMemory() - before).toBeLessThan(5_000_000);
  socket.destroy();
});

test.each([
  ["buffered", "POST /login HTTP/1.1\r\nNext-Action: x"],
  ["refused", "POST /reads HTTP/1.1\r\nContent-Type: application/json"],
  ["not read by the handler", "GET / HTTP/1.1"],
  ["dropped", "POST /about HTTP/1.1"],
  ["read by the handler", "PUT /calls/upload/x/0 HTTP/1.1"],
])(
  "a body of tiny chunks that is %s ends its connection",
  async (_, headers) => {
    const socket = sendChunks(headers, 1, 50_000);
    await new Promise((resolve) => socket.once("close", resolve));
    expect(requests[0]!.receivedBytes).toBeLessThan(50_000);
  },
  5_000,
);
