// Searches more often than a client may.

import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { setClock } from "#lib/core/clock.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { createPipelineServer } from "./pipeline.ts";
import type { SiteServer } from "./site-response.ts";

let server: SiteServer;
beforeAll(async () => {
  overrideEnv({ TRUST_PROXY: "fly" });
  server = createPipelineServer((request, response) => response.end(request.url));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => setClock(null));
afterAll(() => {
  overrideEnv({ TRUST_PROXY: undefined });
  server.closeAllConnections();
  server.close();
});

const send = async (client: string, path: string, init: RequestInit = {}) => {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...init,
    headers: { "fly-client-ip": client, ...init.headers },
  });
  await response.text();
  return response;
};
const searchMcp = (client: string) =>
  send(client, "/mcp", {
    method: "POST",
    body: "{}",
    headers: { "content-type": "application/json" },
  });
const statusesOf = async (count: number, request: (turn: number) => Promise<Response>) =>
  new Set(
    (await Promise.all(Array.from({ length: count }, (_, turn) => request(turn)))).map(
      ({ status }) => status,
    ),
  );

test("after 120 searches of any kind in a minute, a client gets 429 with Retry-After, and others are served", async () => {
  expect(await statusesOf(119, (turn) => send("192.0.2.1", `/search?q=${turn}&page=1`))).toEqual(
    new Set([200]),
  );
  expect((await searchMcp("192.0.2.1")).status).toBe(200);
  for (const path of [
    "/search?q=a",
    "/search/results?q=a",
    "/%73earch?q=a",
    "/search?a=?&q=a",
    "/blog?q=a",
  ]) {
    const response = await send("192.0.2.1", path);
    expect([path, response.status]).toEqual([path, 429]);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  }
  expect((await searchMcp("192.0.2.1")).status).toBe(429);
  for (const path of ["/search", "/search?q=", "/blog"])
    expect([path, (await send("192.0.2.1", path)).status]).toEqual([path, 200]);
  expect((await send("192.0.2.2", "/search?q=a")).status).toBe(200);
  setClock(Date.now() + 61_000);
  expect((await send("192.0.2.1", "/search?q=a")).status).toBe(200);
});

test("addresses of one /64 are one client, and a later q counts, too", async () => {
  expect(
    await statusesOf(120, (turn) => send(`2001:db8:0:1::${turn + 1}`, "/search?q=&q=a")),
  ).toEqual(new Set([200]));
  expect((await send("2001:db8:0:1:ffff::1", "/search/results?q=a")).status).toBe(429);
  expect((await send("2001:db8:0:2::1", "/search/results?q=a")).status).toBe(200);
});

test("searches by another site's page in a visitor's browser don't use up the visitor's limit", async () => {
  const embed = (site: string, path: string, init: RequestInit = {}) =>
    send("192.0.2.3", path, { ...init, headers: { ...init.headers, "sec-fetch-site": site } });
  expect(await statusesOf(119, (turn) => embed("cross-site", `/search?q=${turn}`))).toEqual(
    new Set([200]),
  );
  expect((await embed("same-site", "/mcp", { method: "POST", body: "{}" })).status).toBe(200);
  expect((await embed("cross-site", "/blog?q=a")).status).toBe(429);
  for (const site of ["same-origin", "none"])
    expect([site, (await embed(site, "/search?q=a")).status]).toEqual([site, 200]);
  expect((await searchMcp("192.0.2.3")).status).toBe(200);
});
