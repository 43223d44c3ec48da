import { once } from "node:events";
import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ConsulProxy, startConsulProxy } from "./consul-proxy.ts";
import { parseConsulUrls } from "#server/consul-servers.ts";

const closers: (() => void)[] = [];
beforeEach(() => void vi.spyOn(process.stdout, "write").mockReturnValue(true));
afterEach(() => closers.splice(0).forEach((close) => close()));

/** Starts a server in Consul's place. Returns its URL. */
async function startServer(respond: RequestListener, address = "127.0.0.1"): Promise<string> {
  const server = createServer(respond);
  server.listen(0, address);
  await once(server, "listening");
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://:t%20k@${address}:${(server.address() as AddressInfo).port}/lectern`;
}

async function startProxy(urls: readonly string[], ttlMs = 10_000): Promise<ConsulProxy> {
  const proxy = await startConsulProxy({
    instance: "dfw-1",
    lease: { consulUrl: urls.join(","), key: "primary", ttlMs },
  });
  closers.push(() => void proxy.close());
  return proxy;
}

const put = (proxy: ConsulProxy, path: string, body = "") => {
  const { origin } = new URL(proxy.url);
  return fetch(`${origin}${path}`, { method: "PUT", body, headers: { "x-consul-token": "t" } });
};

/** A URL whose port refuses connections. */
const REFUSED = "http://:t%20k@127.0.0.1:9/lectern";

let hanging = 0;
const hangs: RequestListener = () => void (hanging += 1);
const hasNoLeader: RequestListener = (_, response) =>
  response.writeHead(500).end("No cluster leader");

test("the proxy's URL has the token and the path of the servers", async () => {
  const proxy = await startProxy([REFUSED, "http://:t%20k@127.0.0.2:9/lectern/"]);
  expect(proxy.url).toMatch(/^http:\/\/:t%20k@127\.0\.0\.1:\d+\/lectern$/);
});

test("a request reaches a server behind one that refuses, one that hangs and one without a leader", async () => {
  const seen: unknown[] = [];
  const good = await startServer((request, response) => {
    request
      .setEncoding("utf8")
      .on("data", (body: string) =>
        seen.push([request.method, request.url, request.headers["x-consul-token"], body]),
      );
    request.on("end", () => response.writeHead(200, { "x-consul-index": "7" }).end("true"));
  }, "127.0.0.5");
  const proxy = await startProxy([
    REFUSED,
    await startServer(hasNoLeader, "127.0.0.3"),
    await startServer(hangs, "127.0.0.4"),
    good,
  ]);
  // Repeated, because on a busy machine the good server may be late, too.
  await vi.waitFor(async () => {
    const response = await put(proxy, "/v1/kv/lectern/beat?cas=1", "text");
    expect(await response.text()).toBe("true");
    expect([response.status, response.headers.get("x-consul-index")]).toEqual([200, "7"]);
  }, 20_000);
  expect(seen.at(-1)).toEqual(["PUT", "/v1/kv/lectern/beat?cas=1", "t", "text"]);
  // The server that responded is now the first one, so a second request asks no other.
  await vi.waitFor(async () => {
    const before = hanging;
    expect((await put(proxy, "/v1/kv/lectern/beat", "text")).status).toBe(200);
    expect(hanging).toBe(before);
  }, 20_000);
});

test("a refusal of the request itself is not repeated", async () => {
  let count = 0;
  const server = await startServer((_, response) => {
    count += 1;
    response.writeHead(500).end('invalid session "x"');
  });
  const response = await put(await startProxy([server]), "/v1/kv/lectern/primary?acquire=x");
  expect([response.status, await response.text(), count]).toEqual([500, 'invalid session "x"', 1]);
});

test("a renewal fails when less than a second of the TTL is left, whether the server hangs or refuses", async () => {
  for (const fault of [hangs, hasNoLeader]) {
    let isBroken = false;
    const server = await startServer((request, response) =>
      isBroken ? fault(request, response) : response.end('{"ID":"abc"}'),
    );
    const proxy = await startProxy([server], 2_500);
    const fromMs = performance.now();
    expect((await put(proxy, "/v1/session/create")).status).toBe(200);
    isBroken = true;
    expect((await put(proxy, "/v1/session/renew/abc")).status).toBe(503);
    const ms = performance.now() - fromMs;
    expect(ms).toBeGreaterThan(1_500);
    expect(ms).toBeLessThan(8_000);
  }
});

test("LiteFS can register its node without Consul, and the node exists before each new session", async () => {
  const seen: string[] = [];
  const proxy = await startProxy([
    await startServer((request, response) => {
      seen.push(request.url!);
      response.end('{"ID":"abc"}');
    }),
  ]);
  const registered = await put(proxy, "/v1/catalog/register", '{"Node":"lectern/litefs"}');
  expect([registered.status, await registered.json(), seen]).toEqual([200, true, []]);
  await put(proxy, "/v1/session/create");
  await put(proxy, "/v1/session/create");
  expect(seen).toEqual([
    "/v1/catalog/register",
    "/v1/session/create",
    "/v1/catalog/register",
    "/v1/session/create",
  ]);
});

/** Consul's response with the lease of a primary. */
const leaseOf = (hostname: string, url: string) =>
  JSON.stringify([
    {
      Session: "s",
      Value: Buffer.from(JSON.stringify({ hostname, "advertise-url": url })).toString("base64"),
    },
  ]);
const get = async (proxy: ConsulProxy, path: string) => {
  const response = await fetch(`${new URL(proxy.url).origin}${path}`);
  return response.text();
};

test("each other primary is reached through its own relay", async () => {
  let body = "";
  const proxy = await startProxy([await startServer((_, response) => response.end(body))]);
  const seen: string[] = [];
  for (const [hostname, url] of [
    ["dfw-2", "http://127.0.0.1:7"],
    ["ams-1", "http://127.0.0.1:8"],
    ["dfw-2", "http://127.0.0.1:7"],
  ] as const) {
    body = leaseOf(hostname, url);
    const [entry] = JSON.parse(await get(proxy, "/v1/kv/lectern/primary?consistent")) as [
      { Session: string; Value: string },
    ];
    const lease = JSON.parse(Buffer.from(entry.Value, "base64").toString()) as {
      hostname: string;
      "advertise-url": string;
    };
    expect([entry.Session, lease.hostname]).toEqual(["s", hostname]);
    seen.push(lease["advertise-url"]);
  }
  expect(seen[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(seen[0]).not.toBe("http://127.0.0.1:7");
  expect(seen[2]).toBe(seen[0]);
  expect(seen[1]).not.toBe(seen[0]);
});

test("this node's own lease and other keys pass unchanged", async () => {
  let body = leaseOf("dfw-1", "http://127.0.0.1:7");
  const proxy = await startProxy([await startServer((_, response) => response.end(body))]);
  expect(await get(proxy, "/v1/kv/lectern/primary")).toBe(body);
  body = leaseOf("dfw-2", "http://127.0.0.1:7");
  expect(await get(proxy, "/v1/kv/lectern/primary/clusterid")).toBe(body);
});

test("a body longer than any value in Consul is refused", async () => {
  const proxy = await startProxy([REFUSED]);
  expect((await put(proxy, "/v1/kv/a", "x".repeat(600_000))).status).toBe(413);
});

test.each([
  ["consul:8500", /every URL must start with http/],
  ["http://a:8500,", /must be a URL/],
  ["http://:one@a:8500,http://:two@b:8500", /same token/],
  ["http://a:8500/x,http://b:8500/y", /same path/],
])("FLY_CONSUL_URL=%s is refused, with a reason that does not contain a token", (text, reason) => {
  expect(() => parseConsulUrls(text)).toThrow(reason);
  expect(() => parseConsulUrls(text)).not.toThrow(/one|two/);
});
