import { expect, test, vi } from "vitest";
import { withSubmitPermit } from "./submit-semaphore.ts";

test("four run at a time, in the order in which they came, and one that fails takes none with it", async () => {
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) =>
      withSubmitPermit(async () => {
        most = Math.max(most, ++running);
        order.push(i);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        if (i % 7 === 0) throw new Error("broken");
        return i;
      }),
    ),
  );
  expect([most, running]).toEqual([4, 0]);
  expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(8);
});

test("who waits too long is told so, is never begun, and takes nobody's turn", async () => {
  vi.useFakeTimers();
  try {
    const stuck = Promise.withResolvers<void>();
    const first = Array.from({ length: 4 }, () => withSubmitPermit(() => stuck.promise));
    const late = vi.fn(async () => {});
    const refused = expect(withSubmitPermit(late)).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: 5,
    });
    await vi.advanceTimersByTimeAsync(20_000);
    await refused;
    stuck.resolve();
    await Promise.all(first);
    expect(late).not.toHaveBeenCalled();
    expect(await withSubmitPermit(async () => "free again")).toBe("free again");
  } finally {
    vi.useRealTimers();
  }
});
