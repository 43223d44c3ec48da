import { expect, test } from "vitest";
import { replicationLagMs, formatStatus, shortSpan } from "./node-view.ts";

test("the strip names region, role, transaction and how far it is behind", () => {
  expect(
    formatStatus({ region: "ams", role: "replica", txid: 1_234, behindMs: 4 }).join(" · "),
  ).toBe("ams · replica · transaction 1,234 · 4 ms behind");
  expect(
    formatStatus({ region: "dfw", role: "primary", txid: 1_234_567, behindMs: 0 }).join(" · "),
  ).toBe("dfw · primary · transaction 1,234,567");
  expect(formatStatus({ region: null, role: "unknown", txid: null, behindMs: null })).toEqual([
    "no primary known",
  ]);
});

test("a replica is as far behind as its newest transaction came late, or as long as the primary has been silent", () => {
  expect(replicationLagMs({ role: "replica", lagMs: 4, silenceMs: 900 })).toBe(4);
  expect(replicationLagMs({ role: "replica", lagMs: 4, silenceMs: 40_000 })).toBe(40_000);
  expect(replicationLagMs({ role: "unknown", lagMs: null, silenceMs: 40_000 })).toBe(40_000);
  expect(replicationLagMs({ role: "replica", lagMs: null, silenceMs: null })).toBeNull();
  expect(replicationLagMs({ role: "primary", lagMs: 9, silenceMs: 40_000 })).toBe(0);
});

test("spans are said in the unit that fits", () => {
  expect([0, 4.4, 999, 1_234, 59_999, 90_000, 7_200_000].map(shortSpan)).toEqual([
    "0 ms",
    "4 ms",
    "999 ms",
    "1.2 s",
    "59.9 s",
    "1 min 30 s",
    "2 h",
  ]);
});
