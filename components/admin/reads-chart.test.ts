import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS } from "#lib/core/clock.ts";
import { niceMaximum } from "./reads-chart.tsx";
import { formatTimestamp, formatBytes, formatLargestUnit } from "./timestamp.tsx";

test("the scale of a chart holds the highest day in four even steps of whole reads", () => {
  expect([0, 1, 4, 5, 9, 21, 40, 41, 201, 1_999].map(niceMaximum)).toEqual([
    4, 4, 4, 8, 20, 40, 40, 80, 400, 2_000,
  ]);
  for (let max = 0; max < 3_000; max += 7)
    expect([niceMaximum(max) % 4, niceMaximum(max) >= max]).toEqual([0, true]);
});

test("moments are UTC, lengths of time and sizes stand in their largest unit", () => {
  expect(formatTimestamp(Date.parse("2026-11-23T23:59:59Z"))).toBe("2026-11-23 23:59");
  expect(
    [0, 999, 1_000, 90_000, HOUR_MS, 2 * HOUR_MS, DAY_MS, 3.9 * DAY_MS].map(formatLargestUnit),
  ).toEqual([
    "0 seconds",
    "0 seconds",
    "1 second",
    "1 minute",
    "1 hour",
    "2 hours",
    "1 day",
    "3 days",
  ]);
  expect([0, 999, 1_536, 2_500_000].map(formatBytes)).toEqual(["0 B", "999 B", "1.5 kB", "2.5 MB"]);
});
