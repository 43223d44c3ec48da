import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { subscribeLitefsEvents } from "./litefs-events.ts";

test("a refused subscription closes its connection", async () => {
  // Its body never ends, so only the subscriber can close the connection.
  const server = createServer((_, response) => response.writeHead(503).write("starting"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  await expect(
    subscribeLitefsEvents(`http://127.0.0.1:${port}`, () => {}, new AbortController().signal),
  ).rejects.toThrow("503");
  const countConnections = () =>
    new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  await expect.poll(countConnections).toBe(0);
});
