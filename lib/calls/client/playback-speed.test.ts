import { expect, test } from "vitest";
import {
  PLAYBACK_SPEEDS,
  setPlaybackSpeed,
  stepSpeed,
  readPlaybackSpeed,
} from "./playback-speed.ts";

test("the speed steps from 0.5 to 3 and stops at the ends", () => {
  expect(PLAYBACK_SPEEDS[0]).toBe(0.5);
  expect(PLAYBACK_SPEEDS.at(-1)).toBe(3);
  expect(stepSpeed(1, true)).toBe(1.25);
  expect(stepSpeed(1, false)).toBe(0.75);
  expect(stepSpeed(3, true)).toBe(3);
  expect(stepSpeed(0.5, false)).toBe(0.5);
});

test("without storage the speed lasts until the page unloads, and an unknown speed becomes 1", () => {
  setPlaybackSpeed(2);
  expect(readPlaybackSpeed()).toBe(2);
  setPlaybackSpeed(17);
  expect(readPlaybackSpeed()).toBe(1);
});
