import { type IncomingMessage, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { findClientAddress, readClientAddress } from "./client-address.ts";
import { createPipelineServer } from "./pipeline.ts";

afterEach(() => overrideEnv({ TRUST_PROXY: undefined }));

const from = (headers: Record<string, string>) =>
  findClientAddress({ headers: new Headers(headers) });

/** Returns the client of a request from `peer`. `rawHeaders` alternates names and values. */
const clientOf = (peer: string, ...rawHeaders: string[]) =>
  readClientAddress({ socket: { remoteAddress: peer }, rawHeaders } as unknown as IncomingMessage);

const PROXY = "10.0.0.1";

test("headers are ignored without a trusted proxy", () => {
  expect(
    from({
      "fly-client-ip": "192.0.2.1",
      "x-forwarded-for": "192.0.2.2",
      forwarded: "for=192.0.2.3",
    }),
  ).toBeNull();
  expect(clientOf(PROXY, "X-Forwarded-For", "192.0.2.2", "Forwarded", "for=192.0.2.3")).toBe(PROXY);
});

test("behind Fly's proxy, only fly-client-ip is used", () => {
  overrideEnv({ TRUST_PROXY: "fly" });
  expect(from({ "fly-client-ip": "192.0.2.1", "x-forwarded-for": "192.0.2.2" })).toBe("192.0.2.1");
  expect(from({ "fly-client-ip": "2001:DB8::1" })).toBe("2001:db8::1");
  expect(from({ "x-forwarded-for": "192.0.2.2" })).toBeNull();
  expect(from({ "fly-client-ip": "192.0.2.1, 192.0.2.2" })).toBeNull();
  expect(clientOf(PROXY, "Fly-Client-IP", "192.0.2.1")).toBe("192.0.2.1");
});

test("behind a number of proxies, X-Forwarded-For is read from the right", () => {
  overrideEnv({ TRUST_PROXY: "1" });
  const header = "6.6.6.6, 7.7.7.7, 192.0.2.1";
  expect(clientOf(PROXY, "X-Forwarded-For", header)).toBe("192.0.2.1");
  expect(clientOf(PROXY, "x-forwarded-for", "6.6.6.6", "X-FORWARDED-FOR", "192.0.2.1")).toBe(
    "192.0.2.1",
  );
  expect(clientOf(PROXY)).toBe(PROXY);
  overrideEnv({ TRUST_PROXY: "2" });
  expect(clientOf(PROXY, "X-Forwarded-For", header)).toBe("7.7.7.7");
  // A request that passed through fewer proxies.
  expect(clientOf(PROXY, "X-Forwarded-For", "192.0.2.1")).toBe("192.0.2.1");
});

test("in trusted networks, the first address outside them is the client", () => {
  overrideEnv({ TRUST_PROXY: "127.0.0.0/8,10.0.0.0/8,fd00::/8" });
  const header = "6.6.6.6, 192.0.2.1, 10.9.9.9";
  for (const peer of ["127.0.0.1", "::ffff:10.0.0.1", "fd12::1"])
    expect(clientOf(peer, "X-Forwarded-For", header), peer).toBe("192.0.2.1");
  // A client that reaches the port without a proxy can't name another address.
  expect(clientOf("203.0.113.9", "X-Forwarded-For", header)).toBe("203.0.113.9");
  expect(clientOf("127.0.0.1", "X-Forwarded-For", "10.1.1.1, 10.2.2.2")).toBe("10.1.1.1");
});

test("Forwarded is read like X-Forwarded-For", () => {
  overrideEnv({ TRUST_PROXY: "1" });
  const clients = {
    "for=192.0.2.1": "192.0.2.1",
    "for=6.6.6.6, For=192.0.2.1;proto=https;by=10.0.0.1": "192.0.2.1",
    'proto=https;for="192.0.2.1:4711"': "192.0.2.1",
    'for="[2001:DB8::1]:4711"': "2001:db8::1",
    'for="[2001:db8::1]"': "2001:db8::1",
    // An unclosed quote doesn't swallow what the proxy adds.
    'for="6.6.6.6, for=192.0.2.1': "192.0.2.1",
    "for=unknown": PROXY,
    "for=_hidden": PROXY,
    "by=192.0.2.1": PROXY,
    "for=": PROXY,
    "": PROXY,
  };
  for (const [header, client] of Object.entries(clients))
    expect(clientOf(PROXY, "Forwarded", header), header).toBe(client);
});

test("a node may have a port and brackets; anything else is ignored, with all nodes to its left", () => {
  overrideEnv({ TRUST_PROXY: "2" });
  const clients = {
    "192.0.2.1:443": "192.0.2.1",
    "[2001:db8::1]:443": "2001:db8::1",
    "2001:db8::1": "2001:db8::1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "::ffff:c000:0201": "192.0.2.1",
    "::FFFF:C000:201": "192.0.2.1",
    "0:0:0:0:0:ffff:c000:201": "192.0.2.1",
    "[::ffff:c000:201]:443": "192.0.2.1",
    "64:ff9b::c000:201": "64:ff9b::c000:201",
    "6.6.6.6, unknown": PROXY,
    "6.6.6.6, , 192.0.2.1": "192.0.2.1",
    "6.6.6.6, localhost, 192.0.2.1": "192.0.2.1",
    [`${"6.6.6.6,".repeat(2_000)}192.0.2.9,192.0.2.1`]: "192.0.2.9",
  };
  for (const [header, client] of Object.entries(clients))
    expect(clientOf(PROXY, "X-Forwarded-For", header), header.slice(-50)).toBe(client);
});

test("if both headers name different clients, one is forged, and the proxy counts", () => {
  overrideEnv({ TRUST_PROXY: "1" });
  const both = (forwarded: string, forwardedFor: string) =>
    clientOf(PROXY, "Forwarded", forwarded, "X-Forwarded-For", forwardedFor);
  expect(both("for=192.0.2.1", "192.0.2.1")).toBe("192.0.2.1");
  expect(both("for=6.6.6.6", "192.0.2.1")).toBe(PROXY);
  expect(both("for=192.0.2.1", "6.6.6.6")).toBe(PROXY);
});

test("otherwise, the address is the socket peer's, IPv4-mapped as IPv4", async () => {
  const seen: (string | null)[] = [];
  const server = createPipelineServer((_, response) => {
    seen.push(from({ "fly-client-ip": "192.0.2.1" }));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "::", resolve));
  const { port } = server.address() as AddressInfo;
  for (const host of ["127.0.0.1", "::1"]) {
    await new Promise((resolve, reject) =>
      httpRequest({ host, port, agent: false }, (response) => response.resume().on("end", resolve))
        .on("error", reject)
        .end(),
    );
  }
  await new Promise((resolve) => server.close(resolve));
  expect(seen).toEqual(["127.0.0.1", "::1"]);
});
