import { expect, test } from "vitest";
import { isAppError } from "./errors.ts";
import { RateLimiter, consume } from "./rate-limit.ts";

const refused = (work: () => unknown) => {
  try {
    work();
    return null;
  } catch (error) {
    return isAppError(error, "rate_limited")
      ? error.retryAfterSeconds
      : Promise.reject(error as Error);
  }
};

test("the limit holds in any window until the oldest event expires", () => {
  const limit = new RateLimiter(3, 10_000);
  for (const at of [0, 4_000, 8_000]) consume([[limit, "a"]], at, "Later.");
  expect(refused(() => consume([[limit, "a"]], 9_500, "Later."))).toBe(1);
  expect(refused(() => consume([[limit, "a"]], 8_001, "Later."))).toBe(2);
  expect(refused(() => consume([[limit, "a"]], 10_000, "Later."))).toBeNull();
  expect(refused(() => consume([[limit, "a"]], 10_001, "Later."))).toBe(4);
});

test("consume records an event for all limiters or none", () => {
  const [wide, narrow] = [new RateLimiter(10, 60_000), new RateLimiter(1, 60_000)];
  consume(
    [
      [wide, "x"],
      [narrow, "y"],
    ],
    0,
    "Later.",
  );
  for (let i = 0; i < 20; i++)
    expect(
      refused(() =>
        consume(
          [
            [wide, "x"],
            [narrow, "y"],
          ],
          1,
          "Later.",
        ),
      ),
    ).toBe(60);
  // The wide limiter recorded one event, not 21.
  for (let i = 0; i < 9; i++) consume([[wide, "x"]], 2, "Later.");
  expect(refused(() => consume([[wide, "x"]], 2, "Later."))).not.toBeNull();
});

test("the longest wait is reported", () => {
  const [short, long] = [new RateLimiter(1, 5_000), new RateLimiter(1, 3_600_000)];
  consume(
    [
      [short, "a"],
      [long, "a"],
    ],
    0,
    "Later.",
  );
  expect(
    refused(() =>
      consume(
        [
          [short, "a"],
          [long, "a"],
        ],
        1_000,
        "Later.",
      ),
    ),
  ).toBe(3_599);
});

test("a refund frees an event, once", () => {
  const limit = new RateLimiter(2, 10_000);
  consume([[limit, "a"]], 0, "Later.");
  const giveBack = consume([[limit, "a"]], 1, "Later.");
  giveBack();
  giveBack();
  consume([[limit, "a"]], 2, "Later.");
  expect(refused(() => consume([[limit, "a"]], 3, "Later."))).not.toBeNull();
});

test("keys have separate limits, and an LRU evicts the oldest key", () => {
  const limit = new RateLimiter(1, 10_000, 100);
  consume([[limit, "first"]], 0, "Later.");
  for (let i = 0; i < 99; i++) consume([[limit, `key ${i}`]], 1, "Later.");
  expect(refused(() => consume([[limit, "first"]], 2, "Later."))).not.toBeNull();
  for (let i = 100; i < 300; i++) consume([[limit, `key ${i}`]], 3, "Later.");
  expect(limit.size).toBe(100);
});

test("setting the clock back locks no key out", () => {
  const limit = new RateLimiter(1, 10_000);
  consume([[limit, "a"]], 1_000_000, "Later.");
  expect(refused(() => consume([[limit, "a"]], 5_000, "Later."))).toBeNull();
});
