import type { ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createPipelineServer } from "./pipeline.ts";
import type { SiteServer } from "./site-response.ts";

let server: SiteServer;
const handled: ServerResponse[] = [];
beforeEach(async () => {
  server = createPipelineServer((_request, response) => handled.push(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  handled.length = 0;
  server.closeAllConnections();
  server.close();
});

const REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

test("a connection that sends thousands of requests without waiting is closed, and few are handled", async () => {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(REQUEST.repeat(3_000));
  await new Promise((resolve) => socket.on("error", () => undefined).on("close", resolve));
  expect(handled.length).toBe(16);
});

test("a connection may send any number of requests, if few are in progress", async () => {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  let received = "";
  socket.on("data", (data) => (received += String(data)));
  for (let round = 1; round <= 3; round++) {
    socket.write(REQUEST.repeat(16));
    await expect.poll(() => handled.length).toBe(16);
    for (const response of handled.splice(0)) response.end();
    await expect.poll(() => received.match(/HTTP\/1\.1 200/g)?.length).toBe(round * 16);
  }
  socket.destroy();
});
