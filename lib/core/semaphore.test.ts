import { expect, test, vi } from "vitest";
import { Semaphore } from "./semaphore.ts";

const refusal = {
  perKeyMessage: "Yours are taken.",
  totalMessage: "All are taken.",
  retryAfterSeconds: 7,
};

test("permits are limited per key and in total, and release is idempotent", () => {
  const semaphore = new Semaphore(3, 2);
  const [first, second] = [semaphore.acquire("a", refusal), semaphore.acquire("a", refusal)];
  expect(() => semaphore.acquire("a", refusal)).toThrow(
    expect.objectContaining({
      code: "rate_limited",
      message: refusal.perKeyMessage,
      retryAfterSeconds: 7,
    }),
  );
  semaphore.acquire("b", refusal);
  expect(() => semaphore.acquire("c", refusal)).toThrow(
    expect.objectContaining({ code: "rate_limited", message: refusal.totalMessage }),
  );
  first();
  first();
  expect(semaphore.acquiredCount).toBe(2);
  semaphore.acquire("a", refusal);
  expect(() => semaphore.acquire("a", refusal)).toThrow(refusal.perKeyMessage);
  second();
  expect(semaphore.acquiredCount).toBe(2);
});

test("waiters get permits in first-come order, and a failure releases its permit", async () => {
  const semaphore = new Semaphore(4);
  let running = 0;
  let peak = 0;
  const order: number[] = [];
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) =>
      semaphore.run(
        async () => {
          peak = Math.max(peak, ++running);
          order.push(i);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          if (i % 7 === 0) throw new Error("broken");
        },
        { maxWaitMs: 20_000, message: "Busy." },
      ),
    ),
  );
  expect([peak, running, semaphore.acquiredCount]).toEqual([4, 0, 0]);
  expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(8);
});

test("a wait that times out never runs, and takes no permit", async () => {
  vi.useFakeTimers();
  try {
    const semaphore = new Semaphore(1);
    const limit = { maxWaitMs: 20_000, message: "Busy.", retryAfterSeconds: 5 };
    const stuck = Promise.withResolvers<void>();
    const first = semaphore.run(() => stuck.promise, limit);
    const late = vi.fn();
    const refused = expect(semaphore.run(late, limit)).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: 5,
    });
    await vi.advanceTimersByTimeAsync(20_000);
    await refused;
    stuck.resolve();
    await first;
    expect(late).not.toHaveBeenCalled();
    expect(await semaphore.run(() => "free again", limit)).toBe("free again");
  } finally {
    vi.useRealTimers();
  }
});
