import { expect, test } from "vitest";
import { SPEEDS, chooseSpeed, nextSpeed, readSpeed } from "./speed.ts";

test("the speed goes from half to three times, by steps, and no further", () => {
  expect(SPEEDS[0]).toBe(0.5);
  expect(SPEEDS.at(-1)).toBe(3);
  expect(nextSpeed(1, true)).toBe(1.25);
  expect(nextSpeed(1, false)).toBe(0.75);
  expect(nextSpeed(3, true)).toBe(3);
  expect(nextSpeed(0.5, false)).toBe(0.5);
});

test("where nothing can be kept a speed holds until the page goes, and nonsense is the usual speed", () => {
  chooseSpeed(2);
  expect(readSpeed()).toBe(2);
  chooseSpeed(17);
  expect(readSpeed()).toBe(1);
});
