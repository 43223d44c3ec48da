import { expect, test } from "vitest";
import { describeDay, drawWeeklyAverage, listMonthTicks, niceMaximum } from "./reads-chart.tsx";
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

test("the axis has the first day of each month, and each day says its reads by team", () => {
  const from = Date.parse("2026-10-30") / 86_400_000;
  const days = Array.from({ length: 40 }, (_, i) => ({ day: from + i, total: 0, byTeam: {} }));
  expect(listMonthTicks(days)).toEqual([
    { label: "November", place: 2 / 40 },
    { label: "December", place: 32 / 40 },
  ]);
  expect(describeDay({ day: from, total: 3, byTeam: { RED: 1, UNKNOWN: 2 } })).toBe(
    "2026-10-30: 3 reads · Red 1 · Guests 2",
  );
  expect(describeDay(days[0]!)).toBe("2026-10-30: 0 reads");
  expect(describeDay(days[1]!, { day: from - 30, total: 1, byTeam: {} })).toBe(
    "2026-10-31: 0 reads · 1 read on 2026-09-30",
  );
});

test("the line of the period before is an average of seven days", () => {
  const days = [7, 0, 0, 0, 0, 0, 0, 7].map((total, day) => ({ day, total, byTeam: {} }));
  expect(drawWeeklyAverage(days, 4)).toBe("4,56.3 14,65 24,70.8 34,75 44,75 54,70.8 64,65 74,56.3");
  expect(drawWeeklyAverage([], 4)).toBe("");
});
