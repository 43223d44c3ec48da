import { expect, test } from "vitest";
import { downsampleLevels, isQuiet, measureLevel } from "./level-meter.ts";

const tone = (amplitude: number) =>
  Float32Array.from({ length: 2_048 }, (_, i) => amplitude * Math.sin(i / 5));

test("silence has level 0, the loudest sound 100, and speech is in between", () => {
  expect(measureLevel(new Float32Array(2_048))).toBe(0);
  expect(measureLevel([])).toBe(0);
  expect(measureLevel(tone(1))).toBe(100);
  expect(measureLevel(tone(0.05))).toBeGreaterThan(30);
  expect(measureLevel(tone(0.05))).toBeLessThan(70);
});

test("a louder signal never has a lower level", () => {
  const levels = [0.001, 0.01, 0.03, 0.1, 0.3, 1].map((amplitude) => measureLevel(tone(amplitude)));
  expect(levels).toEqual(levels.toSorted((a, b) => a - b));
});

test("downsampling keeps the peak of each segment and leaves short input unchanged", () => {
  expect(downsampleLevels([1, 9, 2, 3, 4, 8], 3)).toEqual([9, 3, 8]);
  expect(downsampleLevels([1, 2], 3)).toEqual([1, 2]);
  expect(
    downsampleLevels(
      Array.from({ length: 1_201 }, (_, i) => i),
      96,
    ).at(-1),
  ).toBe(1_200);
});

test("four seconds of silence count as quiet; a shorter or louder recording doesn't", () => {
  const silence = Array<number>(40).fill(2);
  expect(isQuiet(silence)).toBe(true);
  expect(isQuiet(silence.slice(1))).toBe(false);
  expect(isQuiet([...silence, 30])).toBe(false);
  expect(isQuiet([30, ...silence])).toBe(true);
});
