import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { IDLE_TIMEOUT_MS, streamWithIdleTimeout } from "./stream-with-idle-timeout.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

function made(pieces: (Uint8Array | Error)[], maxDurationMs?: number) {
  const on = { next: 0, end: 0, idle: 0 };
  const stream = streamWithIdleTimeout({
    nextChunk() {
      on.next += 1;
      const piece = pieces.shift() ?? null;
      if (piece instanceof Error) throw piece;
      return piece;
    },
    maxDurationMs,
    onEnd: () => void (on.end += 1),
    onTimeout: () => void (on.idle += 1),
  });
  return { on, reader: stream.getReader() };
}
const piece = (byte: number) => Uint8Array.of(byte);

test("chunks are produced on demand, and onEnd runs once", async () => {
  const { on, reader } = made([piece(1), piece(2)]);
  await Promise.resolve();
  expect(on.next).toBe(0);
  expect([await reader.read(), await reader.read()].map(({ value }) => value?.[0])).toEqual([1, 2]);
  expect([on.next, on.end]).toEqual([2, 0]);
  expect((await reader.read()).done).toBe(true);
  expect(on).toEqual({ next: 3, end: 1, idle: 0 });
  expect(vi.getTimerCount()).toBe(0);
});

test("a reader that stalls for a minute gets an error", async () => {
  const { on, reader } = made([piece(1), piece(2), piece(3)]);
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS - 1);
  await reader.read();
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS - 1);
  await reader.read();
  expect(on.end).toBe(0);
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS);
  expect(on).toEqual({ next: 2, end: 1, idle: 1 });
  await expect(reader.read()).rejects.toThrow(/read nothing for a minute/);
});

test("a reader that reads slowly gets an error at the deadline", async () => {
  const { on, reader } = made(Array.from({ length: 99 }, piece), 2.5 * IDLE_TIMEOUT_MS);
  for (let i = 0; i < 4; i++) {
    await reader.read();
    vi.advanceTimersByTime(IDLE_TIMEOUT_MS / 2);
  }
  expect(on.end).toBe(0);
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS / 2);
  expect(on).toEqual({ next: 4, end: 1, idle: 1 });
  await expect(reader.read()).rejects.toThrow(/too slowly/);
  expect(vi.getTimerCount()).toBe(0);
});

test("an unread stream is released", () => {
  const { on } = made([piece(1)]);
  vi.advanceTimersByTime(IDLE_TIMEOUT_MS);
  expect(on).toEqual({ next: 0, end: 1, idle: 1 });
});

test("canceling releases the stream immediately", async () => {
  const { on, reader } = made([piece(1), piece(2)]);
  await reader.read();
  await reader.cancel();
  expect(on).toEqual({ next: 1, end: 1, idle: 0 });
  expect(vi.getTimerCount()).toBe(0);
});

test("an error of the source reaches the reader and releases the stream", async () => {
  const { on, reader } = made([new Error("gone")]);
  await expect(reader.read()).rejects.toThrow("gone");
  expect(on).toEqual({ next: 1, end: 1, idle: 0 });
  expect(vi.getTimerCount()).toBe(0);
});
