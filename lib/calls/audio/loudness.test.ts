import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { measureLoudness } from "./loudness.ts";

const sample = (name: string) => readFileSync(`tests/fixtures/audio/${name}`);

test("each second of the steps is quieter than the one before, and silence is 0", () => {
  const levels = measureLoudness(sample("steps.mp3"), 8)!;
  expect(levels).toHaveLength(8);
  // A quarter of the amplitude is 12 dB less, of 36.
  expect(levels[0]! - levels[2]!).toBeCloseTo(1 / 3, 1);
  expect(levels[2]! - levels[4]!).toBeCloseTo(1 / 3, 1);
  expect(levels[0]).toBeGreaterThan(0.8);
  expect(levels[7]).toBeLessThan(0.1);
});

test("a recording may have fewer frames than levels", () => {
  const levels = measureLoudness(sample("tone.mp3").subarray(0, 2_000), 200)!;
  expect(levels).toHaveLength(200);
  expect(levels.every((level) => level >= 0 && level <= 1)).toBe(true);
});

test.each(["tone.m4a", "tone-live.webm", "tone.wav"])("%s is not measured", (name) => {
  expect(measureLoudness(sample(name), 8)).toBeNull();
});

test("an empty or damaged file is not measured", () => {
  expect(measureLoudness(new Uint8Array(), 8)).toBeNull();
  expect(measureLoudness(new Uint8Array(10_000).fill(0xff), 8)).toBeNull();
});
