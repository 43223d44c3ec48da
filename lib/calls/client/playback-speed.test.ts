import { expect, test } from "vitest";
import {
  PLAYBACK_SPEEDS,
  setPlaybackSpeed,
  stepSpeed,
  readPlaybackSpeed,
} from "./playback-speed.ts";

test("the speed goes from half to three times, by steps, and no further", () => {
  expect(PLAYBACK_SPEEDS[0]).toBe(0.5);
  expect(PLAYBACK_SPEEDS.at(-1)).toBe(3);
  expect(stepSpeed(1, true)).toBe(1.25);
  expect(stepSpeed(1, false)).toBe(0.75);
  expect(stepSpeed(3, true)).toBe(3);
  expect(stepSpeed(0.5, false)).toBe(0.5);
});

test("where nothing can be kept a speed holds until the page goes, and nonsense is the usual speed", () => {
  setPlaybackSpeed(2);
  expect(readPlaybackSpeed()).toBe(2);
  setPlaybackSpeed(17);
  expect(readPlaybackSpeed()).toBe(1);
});
