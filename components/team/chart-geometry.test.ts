import { expect, test } from "vitest";
import { DAY_MS } from "#lib/core/clock.ts";
import type { StandingsSnapshot } from "#lib/reading/standings-history.ts";
import { computeChartGeometry } from "./chart-geometry.ts";

const SIZE = { width: 760, height: 360, monthStep: 1 };
const day = (text: string) => Date.parse(text) / DAY_MS;
const at = (when: string, [red, blue, yellow]: [number, number, number]): StandingsSnapshot => ({
  day: day(when),
  teams: [
    { team: "RED", reads: 1, members: 1, memberTime: 1, readsPerMember: red },
    { team: "BLUE", reads: 1, members: 1, memberTime: 1, readsPerMember: blue },
    { team: "YELLOW", reads: 1, members: 1, memberTime: 1, readsPerMember: yellow },
  ],
});
const numbers = (points: string) => points.split(/[ ,]/).map(Number);

test("points are inside the chart: more reads higher, later weeks further right", () => {
  const { lines, right, bottom, left } = computeChartGeometry(
    [at("2026-05-24", [0, 1.2, 3.7]), at("2026-08-30", [2, 2, 2]), at("2026-11-22", [3.7, 0, 1])],
    SIZE,
  );
  for (const { points } of lines) {
    const [x1, y1, x2, y2, x3, y3] = numbers(points) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    expect([x1 === left, x1 < x2, x2 < x3, x3 === right]).toEqual([true, true, true, true]);
    for (const y of [y1, y2, y3]) expect(y).toBeGreaterThanOrEqual(14);
    for (const y of [y1, y2, y3]) expect(y).toBeLessThanOrEqual(bottom);
  }
  expect(numbers(lines[0]!.points)[1]).toBe(bottom);
  expect(numbers(lines[2]!.points)[1]).toBeLessThan(numbers(lines[1]!.points)[1]!);
});

test.each([
  [0.004, ["0.000", "0.001", "0.002", "0.003", "0.004"]],
  [0.04, ["0.00", "0.01", "0.02", "0.03", "0.04"]],
  [0.9, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]],
  [1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]],
  [3.8, ["0", "1", "2", "3", "4"]],
  [7, ["0", "2", "4", "6", "8"]],
  [120, ["0", "50", "100", "150"]],
])("grid lines for %d are round numbers up to or above it", (highest, texts) => {
  const { gridLines } = computeChartGeometry(
    [at("2026-05-24", [0, 0, 0]), at("2026-11-22", [highest, 0, 0])],
    SIZE,
  );
  expect(gridLines.map(({ text }) => text)).toEqual(texts);
});

test("labels of lines that end together are spread, in order", () => {
  for (const ends of [
    [0, 0, 0],
    [1, 1, 1],
    [0.02, 0.01, 0],
    [1, 0.99, 0.5],
  ] as [number, number, number][]) {
    const { lines, bottom } = computeChartGeometry(
      [at("2026-05-24", [1, 1, 1]), at("2026-11-22", ends)],
      SIZE,
    );
    const heights = lines.map(({ label }) => label.y);
    expect(Math.max(...heights)).toBeLessThanOrEqual(bottom);
    expect(heights[1]! - heights[0]!).toBeGreaterThanOrEqual(20);
    expect(heights[2]! - heights[1]!).toBeGreaterThanOrEqual(20);
  }
});

test("labels fit beside the lines, without the reads per member on a narrow chart if they are long", () => {
  for (const [width, readsPerMember, text] of [
    [760, 39.36, "Yellow 39.36"],
    [350, 39.36, "Yellow 39.36"],
    [760, 1_234_567_890_123, "Yellow 1234567890123.00"],
    [350, 1_234_567_890_123, "Yellow"],
  ] as const) {
    const { lines } = computeChartGeometry(
      [at("2026-05-24", [1, 1, 1]), at("2026-11-22", [1, 1, readsPerMember])],
      { ...SIZE, width },
    );
    expect(lines[2]!.label.text).toBe(text);
    for (const { label } of lines)
      expect(label.x + label.text.length * 8).toBeLessThanOrEqual(width);
  }
});

test("months are labelled at their first day, fewer in the narrow chart", () => {
  const history = [at("2026-09-20", [1, 1, 1]), at("2027-02-14", [1, 1, 1])];
  expect(computeChartGeometry(history, SIZE).months.map(({ text }) => text)).toEqual([
    "Oct",
    "Nov",
    "Dec",
    "Jan",
    "Feb",
  ]);
  expect(
    computeChartGeometry(history, { ...SIZE, monthStep: 2 }).months.map(({ text }) => text),
  ).toEqual(["Oct", "Dec", "Feb"]);
});

test("a chart without reads has a scale", () => {
  expect(
    computeChartGeometry(
      [at("2026-05-24", [0, 0, 0]), at("2026-11-22", [0, 0, 0])],
      SIZE,
    ).gridLines.map(({ text }) => text),
  ).toEqual(["0", "1"]);
});
