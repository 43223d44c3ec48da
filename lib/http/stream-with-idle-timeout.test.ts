import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { IDLE_TIMEOUT_MS, streamWithIdleTimeout } from "./stream-with-idle-timeout.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

function made(pieces: (Uint8Array | Error)[]) {
  const on = { next: 0, end: 0, idle: 0 };
  const stream = streamWithIdleTimeout({
    nextChunk() {
      on.next += 1;
      const piece = pieces.shift() ?? null;
      if (piece instanceof Error) throw piece;
      return piece;
    },
    onEnd: () => void (on.end += 1),
    onIdleTimeout: () => void (on.idle += 1),
  });
  return { on, reader: stream.getReader() };
}
const piece = (byte: number) => Uint8Array.of(byte);

test("pieces are made when they are taken, and the end is told once", async () => {
  const { on, reader } = made([piece(1), piece(2)]);
  await Promise.resolve();
  expect(on.next).toBe(0);
  expect([await reader.read(), await reader.read()].map(({ value }) => value?.[0])).toEqual([1, 2]);
  expect([on.next, on.end]).toEqual([2, 0]);
  expect((await reader.read()).done).toBe(true);
  expect(on).toEqual({ next: 3, end: 1, idle: 0 });
  expect(vi.getTimerCount()).toBe(0);
});

test("a reader that takes nothing for a minute loses it, one that goes on in time does not", async () => {
  const { on, reader } = made([piece(1), piece(2), piece(3)]);
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS - 1);
  await reader.read();
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS - 1);
  await reader.read();
  expect(on.end).toBe(0);
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS);
  expect(on).toEqual({ next: 2, end: 1, idle: 1 });
  await expect(reader.read()).rejects.toThrow(/took nothing for a minute/);
});

test("one that is never read is let go as well", () => {
  const { on } = made([piece(1)]);
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS);
  expect(on).toEqual({ next: 0, end: 1, idle: 1 });
});

test("a reader that goes frees it at once", async () => {
  const { on, reader } = made([piece(1), piece(2)]);
  await reader.read();
  await reader.cancel();
  expect(on).toEqual({ next: 1, end: 1, idle: 0 });
  expect(vi.getTimerCount()).toBe(0);
});

test("an error of the source reaches the reader and frees it", async () => {
  const { on, reader } = made([new Error("gone")]);
  await expect(reader.read()).rejects.toThrow("gone");
  expect(on).toEqual({ next: 1, end: 1, idle: 0 });
  expect(vi.getTimerCount()).toBe(0);
});
