import { expect, test } from "vitest";
import { measureLevel, downsampleLevels } from "./level-meter.ts";

const tone = (amplitude: number) =>
  Float32Array.from({ length: 2_048 }, (_, i) => amplitude * Math.sin(i / 5));

test("silence has no level, the loudest sound the highest, and speech stands in between", () => {
  expect(measureLevel(new Float32Array(2_048))).toBe(0);
  expect(measureLevel([])).toBe(0);
  expect(measureLevel(tone(1))).toBe(100);
  expect(measureLevel(tone(0.05))).toBeGreaterThan(30);
  expect(measureLevel(tone(0.05))).toBeLessThan(70);
});

test("louder is never lower", () => {
  const levels = [0.001, 0.01, 0.03, 0.1, 0.3, 1].map((amplitude) => measureLevel(tone(amplitude)));
  expect(levels).toEqual(levels.toSorted((a, b) => a - b));
});

test("a summary keeps the loudest of each stretch, and short ones as they are", () => {
  expect(downsampleLevels([1, 9, 2, 3, 4, 8], 3)).toEqual([9, 3, 8]);
  expect(downsampleLevels([1, 2], 3)).toEqual([1, 2]);
  expect(
    downsampleLevels(
      Array.from({ length: 1_201 }, (_, i) => i),
      96,
    ).at(-1),
  ).toBe(1_200);
});
