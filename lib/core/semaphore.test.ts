import { expect, test } from "vitest";
import { Semaphore } from "./semaphore.ts";

const refusal = { own: "Yours are taken.", all: "All are taken.", retryAfterSeconds: 7 };

test("a key has so many places, all have so many, and what is given back is free, once", () => {
  const slots = new Semaphore(3, 2);
  const [first, second] = [slots.acquire("a", refusal), slots.acquire("a", refusal)];
  expect(() => slots.acquire("a", refusal)).toThrow(
    expect.objectContaining({ code: "rate_limited", message: refusal.own, retryAfterSeconds: 7 }),
  );
  slots.acquire("b", refusal);
  expect(() => slots.acquire("c", refusal)).toThrow(
    expect.objectContaining({ code: "rate_limited", message: refusal.all }),
  );
  first();
  first();
  expect(slots.acquiredCount).toBe(2);
  slots.acquire("a", refusal);
  expect(() => slots.acquire("a", refusal)).toThrow(refusal.own);
  second();
  expect(slots.acquiredCount).toBe(2);
});
