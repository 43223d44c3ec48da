import { expect, test } from "vitest";
import { isAppError } from "#lib/core/errors.ts";
import { HOUR_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { RateLimiter } from "#lib/core/rate-limit.ts";
import { clientKey, subnetKey } from "#lib/http/client-key.ts";
import { createReadLimiter } from "./read-limiter.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");

/** Returns how many of `tries` pass, and the retry delay of the first that is refused. */
function letThrough(
  tries: number,
  take: (i: number) => void,
): { passed: number; waitSeconds?: number } {
  let passed = 0;
  let waitSeconds: number | undefined;
  for (let i = 0; i < tries; i++) {
    try {
      take(i);
      passed += 1;
    } catch (error) {
      if (!isAppError(error, "rate_limited")) throw error;
      waitSeconds ??= error.retryAfterSeconds;
    }
  }
  return { passed, waitSeconds };
}
const anonymous = {
  member: null,
  clientId: null,
  address: "192.0.2.1",
  slug: "a-post",
  nowMs: NOW,
};

test("a reader may send ten reads per minute, from any address", () => {
  for (const reader of [
    { member: { id: "ada" }, clientId: null },
    { member: null, clientId: "reader-1" },
  ]) {
    const limits = createReadLimiter();
    const take = (i: number, nowMs = NOW) =>
      limits.consume({ ...reader, address: `192.0.${i}.1`, slug: `post-${i}`, nowMs });
    expect(letThrough(30, take)).toEqual({ passed: 10, waitSeconds: 60 });
    expect(letThrough(30, (i) => take(i, NOW + MINUTE_MS - 1))).toEqual({
      passed: 0,
      waitSeconds: 1,
    });
    expect(letThrough(30, (i) => take(i, NOW + MINUTE_MS))).toEqual({
      passed: 10,
      waitSeconds: 60,
    });
  }
});

test("an address may send sixty reads per minute, from any readers", () => {
  const limits = createReadLimiter();
  expect(
    letThrough(200, (i) =>
      limits.consume({ ...anonymous, member: { id: `member-${i}` }, slug: `post-${i}` }),
    ).passed,
  ).toBe(60);
  limits.consume({ ...anonymous, address: "192.0.2.2" });
});

test("a subnet without reader IDs may send thirty reads of a post per hour", () => {
  const limits = createReadLimiter();
  expect(
    letThrough(100, (i) => limits.consume({ ...anonymous, address: `192.0.2.${i}` })).passed,
  ).toBe(30);
  expect(letThrough(1, () => limits.consume({ ...anonymous, address: "192.0.3.1" })).passed).toBe(
    1,
  );
  expect(letThrough(1, () => limits.consume({ ...anonymous, slug: "another-post" })).passed).toBe(
    1,
  );
  expect(letThrough(1, () => limits.consume({ ...anonymous, member: { id: "ada" } })).passed).toBe(
    1,
  );
  expect(letThrough(1, () => limits.consume({ ...anonymous, nowMs: NOW + HOUR_MS })).passed).toBe(
    1,
  );
});

test("a refund makes room for one read, once", () => {
  const limits = createReadLimiter();
  const undo = Array.from({ length: 30 }, () => limits.consume(anonymous));
  expect(letThrough(1, () => limits.consume(anonymous)).passed).toBe(0);
  undo[0]?.();
  expect(letThrough(5, () => limits.consume(anonymous)).passed).toBe(1);
  expect(letThrough(1, () => limits.consume({ ...anonymous, nowMs: NOW + HOUR_MS })).passed).toBe(
    1,
  );
  undo[1]?.(); // long forgotten
  expect(letThrough(100, () => limits.consume({ ...anonymous, nowMs: NOW + HOUR_MS })).passed).toBe(
    29,
  );
});

test("clients without an address share one limit", () => {
  const limits = createReadLimiter();
  expect(
    letThrough(100, (i) => limits.consume({ ...anonymous, address: null, slug: `post-${i}` }))
      .passed,
  ).toBe(60);
});

test("a refused read does not count", () => {
  const limit = new RateLimiter(1, 1_000);
  limit.record("key", NOW);
  expect(limit.retryAfterMs("key", NOW + 500)).toBe(500);
  expect(limit.retryAfterMs("key", NOW + 1_000)).toBe(0);
});

test("setting the clock back locks no one out", () => {
  const limit = new RateLimiter(1, 1_000);
  limit.record("key", NOW);
  expect(limit.retryAfterMs("key", NOW - HOUR_MS)).toBe(0);
});

test("memory is bounded", () => {
  const limit = new RateLimiter(5, 1_000, 100);
  for (let i = 0; i < 10_000; i++) limit.record(`key-${i}`, NOW);
  expect(limit.size).toBe(100);
});

test("an IPv6 client is its /64, its network the /56", () => {
  expect(clientKey("2001:db8:1:2fe:aaaa::1")).toBe(clientKey("2001:DB8:1:2fe::2"));
  expect(clientKey("2001:db8:1:2fe::1")).not.toBe(clientKey("2001:db8:1:2ff::1"));
  expect(subnetKey("2001:db8:1:2fe::1")).toBe(subnetKey("2001:db8:1:2ff::1"));
  expect(subnetKey("2001:db8:1:2fe::1")).not.toBe(subnetKey("2001:db8:1:3ff::1"));
  expect(subnetKey("::1")).toBe("0000:0000:0000:0000::/56");
  expect(clientKey("64:ff9b::192.0.2.1")).toBe("0064:ff9b:0000:0000::/64");
});

test("an IPv4 client is its address, its network the /24", () => {
  expect(clientKey("192.0.2.77")).toBe("192.0.2.77");
  expect(subnetKey("192.0.2.77")).toBe("192.0.2.0/24");
});
