import { expect, test } from "vitest";
import {
  formatBytes,
  formatPosition,
  formatPositionSpoken,
  formatDurationSpoken,
  formatLocalTime,
} from "./format-time.ts";

test("a position is minutes and seconds, whole ones only", () => {
  expect([0, 999, 1_000, 72_400, 120_000, -5].map(formatPosition)).toEqual([
    "0:00",
    "0:00",
    "0:01",
    "1:12",
    "2:00",
    "0:00",
  ]);
});

test("a screen reader hears a length in words, one second as one", () => {
  expect([0, 1_000, 10_000, 60_000, 72_400, 121_000].map(formatPositionSpoken)).toEqual([
    "0 seconds",
    "1 second",
    "10 seconds",
    "1 minute",
    "1 minute 12 seconds",
    "2 minutes 1 second",
  ]);
});

test("a length in words is rounded as it is in figures", () => {
  expect([0, 1_960, 60_400].map(formatDurationSpoken)).toEqual([
    "1 second",
    "2 seconds",
    "1 minute",
  ]);
});

test("a time today is an hour, a time before has its day", () => {
  const now = new Date(2026, 4, 4, 9, 0).getTime();
  expect(formatLocalTime(new Date(2026, 4, 4, 8, 5).getTime(), now)).toBe("08:05");
  expect(formatLocalTime(new Date(2026, 4, 3, 23, 59).getTime(), now)).toBe("yesterday, 23:59");
  expect(formatLocalTime(new Date(2026, 3, 30, 10, 41).getTime(), now)).toBe("30 April, 10:41");
});

test("sizes are never said too small", () => {
  expect([1, 1_000, 734_003, 1_800_044].map(formatBytes)).toEqual([
    "1 kB",
    "1 kB",
    "735 kB",
    "1.8 MB",
  ]);
});
