import { expect, test } from "vitest";
import { replicationLagMs, formatStatus } from "./node-view.ts";

test("the banner names region, role, transaction and lag", () => {
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

test("the lag is the delay of the newest transaction, or the age of the heartbeat", () => {
  expect(replicationLagMs({ role: "replica", lagMs: 4, silenceMs: 900 })).toBe(4);
  expect(replicationLagMs({ role: "replica", lagMs: 4, silenceMs: 40_000 })).toBe(40_000);
  expect(replicationLagMs({ role: "unknown", lagMs: null, silenceMs: 40_000 })).toBe(40_000);
  expect(replicationLagMs({ role: "replica", lagMs: null, silenceMs: null })).toBeNull();
  expect(replicationLagMs({ role: "primary", lagMs: 9, silenceMs: 40_000 })).toBe(0);
});
