import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

const refusal = { own: "Yours are taken.", all: "All are taken.", retryAfterSeconds: 7 };

test("a key has so many places, all have so many, and what is given back is free, once", () => {
  const slots = new Slots(3, 2);
  const [first, second] = [slots.take("a", refusal), slots.take("a", refusal)];
  expect(() => slots.take("a", refusal)).toThrow(
    expect.objectContaining({ code: "rate_limited", message: refusal.own, retryAfterSeconds: 7 }),
  );
  slots.take("b", refusal);
  expect(() => slots.take("c", refusal)).toThrow(
    expect.objectContaining({ code: "rate_limited", message: refusal.all }),
  );
  first();
  first();
  expect(slots.count).toBe(2);
  slots.take("a", refusal);
  expect(() => slots.take("a", refusal)).toThrow(refusal.own);
  second();
  expect(slots.count).toBe(2);
});
