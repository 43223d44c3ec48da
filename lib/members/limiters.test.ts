import { beforeEach, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS, setClock } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { type LoginLimiter, createLoginLimiter } from "./limiters.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
let limiter: LoginLimiter;
beforeEach(() => {
  setClock(NOW);
  limiter = createLoginLimiter();
});

/** Returns how many of `n` calls pass. */
function passing(n: number, call: (i: number) => void): number {
  let passed = 0;
  for (let i = 0; i < n; i++) {
    try {
      call(i);
      passed += 1;
    } catch (error) {
      expect(isAppError(error, "rate_limited")).toBe(true);
    }
  }
  return passed;
}
const ip = (i: number) => `${10 + (i >> 8)}.${i & 255}.7.1`;

test("an address gets five emails an hour and twenty a day, from any client", () => {
  expect(
    passing(20, (i) => limiter.consumeEmail({ email: "ada@example.test", address: ip(i) })),
  ).toBe(5);
  let all = 5;
  for (let hour = 1; hour < 24; hour++) {
    setClock(NOW + hour * HOUR_MS + 1);
    all += passing(10, (i) =>
      limiter.consumeEmail({ email: "ada@example.test", address: ip(hour * 10 + i) }),
    );
  }
  expect(all).toBe(20);
  setClock(NOW + DAY_MS + HOUR_MS);
  expect(
    passing(10, (i) => limiter.consumeEmail({ email: "ada@example.test", address: ip(900 + i) })),
  ).toBe(5);
});

test("a client (IPv6: a /64) gets thirty emails an hour, to any address", () => {
  expect(
    passing(50, (i) =>
      limiter.consumeEmail({ email: `a${i}@example.test`, address: "203.0.113.5" }),
    ),
  ).toBe(30);
  expect(
    passing(50, (i) =>
      limiter.consumeEmail({ email: `b${i}@example.test`, address: `2001:db8:1:2::${i}` }),
    ),
  ).toBe(30);
  expect(
    passing(50, (i) => limiter.consumeEmail({ email: `c${i}@example.test`, address: null })),
  ).toBe(30);
});

test("a network gets a hundred emails an hour", () => {
  expect(
    passing(250, (i) =>
      limiter.consumeEmail({ email: `a${i}@example.test`, address: `203.0.113.${i}` }),
    ),
  ).toBe(100);
});

test("the refusal says when to retry, and is the same for every address", () => {
  setClock(NOW);
  const refusal = (email: string) => {
    try {
      for (let i = 0; i < 6; i++) limiter.consumeEmail({ email, address: ip(i) });
    } catch (error) {
      return error as Error & { retryAfterSeconds: number };
    }
    throw new Error("not refused");
  };
  const one = refusal("ada@example.test");
  expect(one.message).toBe("Too many login emails. Try again in an hour.");
  expect(one.retryAfterSeconds).toBeGreaterThan(3_590);
  expect(refusal("nobody@example.test").message).toBe(one.message);
  setClock(NOW + HOUR_MS - MINUTE_MS / 2);
  expect(refusal("ada@example.test").message).toMatch(/Try again in a minute\.$/);
});

test("an email that failed is refunded to the address, not to the client", () => {
  expect(
    passing(
      60,
      (i) => limiter.consumeEmail({ email: "ada@example.test", address: "203.0.113.5" })() ?? i,
    ),
  ).toBe(30);
  expect(
    passing(20, (i) => limiter.consumeEmail({ email: "ada@example.test", address: ip(i) })),
  ).toBe(5);
});

test("a client sends two emails at the same time; a release frees a slot, and other clients are not affected", () => {
  const end = limiter.acquireSendSlot({ address: "203.0.113.5" });
  limiter.acquireSendSlot({ address: "203.0.113.5" });
  expect(() => limiter.acquireSendSlot({ address: "203.0.113.5" })).toThrow("already sending");
  limiter.acquireSendSlot({ address: "203.0.113.6" });
  end();
  limiter.acquireSendSlot({ address: "203.0.113.5" });
  expect(passing(3, () => limiter.acquireSendSlot({ address: "203.0.113.5" }))).toBe(0);
  for (let i = 0; i < 5; i++) limiter.acquireSendSlot({ address: null });
});

test("a client gets sixty attempts an hour, over all challenges", () => {
  expect(passing(100, () => limiter.consumeAttempt({ address: "203.0.113.5" }))).toBe(60);
  expect(passing(1, () => limiter.consumeAttempt({ address: "203.0.113.6" }))).toBe(1);
  setClock(NOW + HOUR_MS + MINUTE_MS);
  expect(passing(1, () => limiter.consumeAttempt({ address: "203.0.113.5" }))).toBe(1);
});
