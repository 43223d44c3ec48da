import { beforeEach, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS, setClock } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { type LoginLimiter, createLoginLimiter } from "./login-limiter.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
let limits: LoginLimiter;
beforeEach(() => {
  setClock(NOW);
  limits = createLoginLimiter();
});

/** How many of `n` tries pass. */
function passing(n: number, one: (i: number) => void): number {
  let passed = 0;
  for (let i = 0; i < n; i++) {
    try {
      one(i);
      passed += 1;
    } catch (error) {
      expect(isAppError(error, "rate_limited")).toBe(true);
    }
  }
  return passed;
}
const ip = (i: number) => `${10 + (i >> 8)}.${i & 255}.7.1`;

test("an address gets five mails an hour and twenty a day, whoever asks", () => {
  expect(passing(20, (i) => limits.takeMail({ email: "ada@example.test", address: ip(i) }))).toBe(
    5,
  );
  let all = 5;
  for (let hour = 1; hour < 24; hour++) {
    setClock(NOW + hour * HOUR_MS + 1);
    all += passing(10, (i) =>
      limits.takeMail({ email: "ada@example.test", address: ip(hour * 10 + i) }),
    );
  }
  expect(all).toBe(20);
  setClock(NOW + DAY_MS + HOUR_MS);
  expect(
    passing(10, (i) => limits.takeMail({ email: "ada@example.test", address: ip(900 + i) })),
  ).toBe(5);
});

test("a client asks for thirty mails an hour, whatever the addresses; its /64 is one client", () => {
  expect(
    passing(50, (i) => limits.takeMail({ email: `a${i}@example.test`, address: "203.0.113.5" })),
  ).toBe(30);
  expect(
    passing(50, (i) =>
      limits.takeMail({ email: `b${i}@example.test`, address: `2001:db8:1:2::${i}` }),
    ),
  ).toBe(30);
  expect(passing(50, (i) => limits.takeMail({ email: `c${i}@example.test`, address: null }))).toBe(
    30,
  );
});

test("a network asks for a hundred mails an hour", () => {
  expect(
    passing(250, (i) =>
      limits.takeMail({ email: `a${i}@example.test`, address: `203.0.113.${i}` }),
    ),
  ).toBe(100);
});

test("the refusal says when, and says the same for every address", () => {
  setClock(NOW);
  const refusal = (email: string) => {
    try {
      for (let i = 0; i < 6; i++) limits.takeMail({ email, address: ip(i) });
    } catch (error) {
      return error as Error & { retryAfterSeconds: number };
    }
    throw new Error("not refused");
  };
  const one = refusal("ada@example.test");
  expect(one.message).toBe("Too many log-in mails were asked for. Try again in 60 minutes.");
  expect(one.retryAfterSeconds).toBeGreaterThan(3_590);
  expect(refusal("nobody@example.test").message).toBe(one.message);
  setClock(NOW + HOUR_MS - MINUTE_MS / 2);
  expect(refusal("ada@example.test").message).toMatch(/Try again in a minute\.$/);
});

test("a mail that could not be sent is not counted for its address, but for the client", () => {
  expect(
    passing(
      60,
      (i) => limits.takeMail({ email: "ada@example.test", address: "203.0.113.5" })() ?? i,
    ),
  ).toBe(30);
  expect(passing(20, (i) => limits.takeMail({ email: "ada@example.test", address: ip(i) }))).toBe(
    5,
  );
});

test("a client has two mails under way at the same time; one that has ended makes room, and others don't wait", () => {
  const end = limits.beginSending({ address: "203.0.113.5" });
  limits.beginSending({ address: "203.0.113.5" });
  expect(() => limits.beginSending({ address: "203.0.113.5" })).toThrow(
    "Two log-in mails are on their way from here already. Try again in some seconds.",
  );
  limits.beginSending({ address: "203.0.113.6" });
  end();
  limits.beginSending({ address: "203.0.113.5" });
  expect(passing(3, () => limits.beginSending({ address: "203.0.113.5" }))).toBe(0);
  for (let i = 0; i < 5; i++) limits.beginSending({ address: null });
});

test("a client tries sixty codes an hour, whatever the challenges", () => {
  expect(passing(100, () => limits.takeTry({ address: "203.0.113.5" }))).toBe(60);
  expect(passing(1, () => limits.takeTry({ address: "203.0.113.6" }))).toBe(1);
  setClock(NOW + HOUR_MS + 1_000);
  expect(passing(1, () => limits.takeTry({ address: "203.0.113.5" }))).toBe(1);
});
