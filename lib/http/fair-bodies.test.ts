// Sends large bodies: one that has arrived before the server reads it, and one in tiny chunks.

import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { connect } from "node:net";
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
    request.resume();
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

test("a body in chunks of one byte takes little more memory than its bytes", async () => {
  const count = 50_000;
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const before = measureMemory();
  socket.write(
    "POST /login HTTP/1.1\r\nHost: x\r\nNext-Action: x\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  socket.write("1\r\nx\r\n".repeat(count));
  await vi.waitFor(() => expect(requests[0]?.receivedBytes).toBe(count), 10_000);
  expect(measureMemory() - before).toBeLessThan(5_000_000);
  socket.destroy();
});
