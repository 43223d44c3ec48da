import { expect, test } from "vitest";
import { niceMaximum } from "./reads-chart.tsx";
import { formatTimestamp } from "./timestamp.tsx";

test("the scale of the chart includes the maximum in four even integer steps", () => {
  expect([0, 1, 4, 5, 9, 21, 40, 41, 201, 1_999].map(niceMaximum)).toEqual([
    4, 4, 4, 8, 20, 40, 40, 80, 400, 2_000,
  ]);
  for (let max = 0; max < 3_000; max += 7)
    expect([niceMaximum(max) % 4, niceMaximum(max) >= max]).toEqual([0, true]);
});

test("a timestamp is in UTC", () => {
  expect(formatTimestamp(Date.parse("2026-11-23T23:59:59Z"))).toBe("2026-11-23 23:59");
});
