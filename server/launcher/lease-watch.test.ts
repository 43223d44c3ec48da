import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { monotonicMs } from "#lib/replication/lease.ts";
import { connectConsul } from "#server/consul.ts";
import { readSettings } from "#server/settings.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { type LeaseWatch, createLeaseWatch } from "./lease-watch.ts";

let server: TestServer;
let holder: string | null;
let isSilent: boolean;
let heartbeats: { instance: string; txid: number; needed: number }[];
let expiries: number[];
/** The heartbeat of another primary. */
let found: (typeof heartbeats)[0] | null;
/** Called when Consul receives a request for the lease. */
let onLeaseRequest: () => unknown;
let watch: LeaseWatch;

/** A fake Consul with the lease of `holder`, which records heartbeats. */
beforeEach(async () => {
  [holder, isSilent, heartbeats, expiries, found] = ["dfw-1", false, [], [], null];
  onLeaseRequest = () => undefined;
  server = await serveHttp((request, response) => {
    if (isSilent) return;
    let body = "";
    request.on("data", (data: Buffer) => (body += String(data)));
    request.on("end", () => {
      const { pathname } = new URL(request.url!, "http://consul");
      if (request.method === "PUT") {
        if (pathname.endsWith("/beat")) heartbeats.push(JSON.parse(body) as (typeof heartbeats)[0]);
        response.end("true");
      } else if (pathname === "/v1/kv/lectern/primary" && holder) {
        onLeaseRequest();
        const lease = JSON.stringify({ hostname: holder, "advertise-url": "http://127.0.0.1:1" });
        response.end(
          JSON.stringify([{ Value: Buffer.from(lease).toString("base64"), Session: "s" }]),
        );
      } else if (pathname.endsWith("/beat") && found) {
        const value = Buffer.from(JSON.stringify(found)).toString("base64");
        response.end(JSON.stringify([{ Value: value, ModifyIndex: 1 }]));
      } else response.writeHead(404).end();
    });
  });
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const settings = readSettings(
    {
      REPLICATION: "on",
      INSTANCE: "dfw-1",
      FLY_CONSUL_URL: server.origin,
      LITEFS_ADVERTISE_URL: "http://127.0.0.1:1",
    },
    "/app",
  );
  const consul = connectConsul(settings.lease.consulUrl, settings.lease.key);
  watch = createLeaseWatch(settings, consul, (untilMs) => expiries.push(untilMs));
});
afterEach(() => server.close());

const at = (txid: number) => ({
  isPrimary: true,
  isCandidate: true,
  position: { txid, checksum: "1" },
});
/** Ticks until Consul accepts a heartbeat, because on a busy machine a request may time out. */
const tick = async (txid: number) => {
  const count = expiries.length;
  await vi.waitFor(async () => {
    await watch.tickAsPrimary(at(txid), Promise.resolve());
    expect(expiries.length).toBeGreaterThan(count);
  }, 10_000);
};

test("a heartbeat that Consul accepts gives the site one TTL, from when it was sent", async () => {
  const beforeMs = monotonicMs();
  await tick(5);
  expect(heartbeats.at(-1)).toMatchObject({ instance: "dfw-1", txid: 5, needed: 5 });
  expect(expiries).toHaveLength(1);
  expect(expiries[0]! - beforeMs).toBeGreaterThanOrEqual(10_000);
  expect(expiries[0]! - monotonicMs()).toBeLessThanOrEqual(10_000);
});

test("a primary that has lost the lease is told so, and doesn't overwrite another's heartbeat", async () => {
  holder = "dfw-2";
  await watch.tickAsPrimary(at(5), Promise.resolve());
  expect(expiries).toEqual([0]);
  expect(heartbeats).toEqual([]);
  expect(await watch.confirmPosition(at(5).position)).toBe(false);
});

test("a primary that loses the lease between two heartbeats is told so", async () => {
  await tick(5);
  holder = null;
  await tick(6);
  expect(expiries.at(-1)).toBe(0);
});

test("while Consul is silent, the lease is neither extended nor revoked, and nothing is confirmed", async () => {
  await tick(5);
  isSilent = true;
  expect(await watch.confirmPosition(at(6).position).catch(() => false)).toBe(false);
  expect(expiries).toHaveLength(1);
});

test("a transaction that must not be lost is required of successors, until a restore", async () => {
  await tick(5);
  expect(await watch.confirmPosition(at(9).position)).toBe(true);
  expect(heartbeats.at(-1)).toMatchObject({ txid: 9, needed: 9 });
  await tick(10);
  expect(heartbeats.at(-1)).toMatchObject({ txid: 10, needed: 9 });
  await tick(2);
  expect(heartbeats.at(-1)).toMatchObject({ txid: 2 });
});

test("a position read before a required transaction doesn't undo the requirement", async () => {
  await tick(5);
  expect(await watch.confirmPosition(at(9).position)).toBe(true);
  await tick(5);
  expect(heartbeats.at(-1)).toMatchObject({ txid: 9, needed: 9 });
});

test("heartbeats contain the checksum of a required transaction", async () => {
  await tick(5);
  expect(await watch.confirmPosition({ txid: 9, checksum: "abc" })).toBe(true);
  expect(heartbeats.at(-1)).toMatchObject({ needed: 9, checksum: "abc" });
  await tick(10);
  expect(heartbeats.at(-1)).toMatchObject({ needed: 9, checksum: "abc" });
});

test("a standby that lacks a required transaction stops being a candidate, even while Consul is silent", async () => {
  holder = "dfw-2";
  found = { instance: "dfw-2", txid: 9, needed: 9 };
  const poll = () => watch.tickAsStandby({ ...at(5), isPrimary: false }, monotonicMs());
  expect(await poll()).toBe("ok");
  isSilent = true;
  await vi.waitFor(async () => expect(await poll()).toBe("behind"), 20_000);
});

test("a deposed primary closes its site's fence", async () => {
  await tick(5);
  await watch.tickAsStandby({ ...at(5), isPrimary: false }, monotonicMs());
  expect(expiries.at(-1)).toBe(0);
  expect(await watch.confirmPosition(at(5).position)).toBe(false);
});

test("a promotion opens the fence without Consul, until one TTL after the last poll as a standby", async () => {
  const polledMs = monotonicMs();
  await watch.tickAsStandby({ ...at(5), isPrimary: false }, polledMs);
  isSilent = true;
  const ticked = watch.tickAsPrimary(at(5), Promise.resolve());
  expect(expiries).toEqual([polledMs + 10_000]);
  isSilent = false;
  await ticked;
  await tick(5);
  const later = [...expiries];
  expect(later.at(-1)).toBeGreaterThan(polledMs + 10_000);
  await watch.tickAsPrimary(at(5), Promise.resolve());
  expect(expiries.at(-1)).toBeGreaterThanOrEqual(later.at(-1)!);
});

test("a write right after a promotion is confirmed, but not before the former primary's heartbeat was read", async () => {
  await watch.tickAsStandby({ ...at(5), isPrimary: false }, monotonicMs());
  const reported = Promise.withResolvers<void>();
  const ticked = watch.tickAsPrimary(at(5), reported.promise);
  const confirmed = watch.confirmPosition(at(6).position);
  await fetch(`${server.origin}/v1/kv/lectern/primary`);
  expect(heartbeats).toEqual([]);
  reported.resolve();
  expect(await confirmed).toBe(true);
  await ticked;
  expect(heartbeats.at(-1)).toMatchObject({ txid: 6, needed: 6 });
});

test("a confirmation that ends after the primary was deposed does not open the fence again", async () => {
  await tick(5);
  onLeaseRequest = () => watch.tickAsStandby({ ...at(5), isPrimary: false }, monotonicMs());
  expect(await watch.confirmPosition(at(6).position)).toBe(false);
  expect(expiries.at(-1)).toBe(0);
});
