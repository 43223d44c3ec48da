import { expect, test } from "vitest";
import { formatDuration, roundToSeconds } from "./format-duration.ts";

test("a length is rounded to the nearest second, and never none", () => {
  expect([0, 400, 1_499, 1_500, 7_600].map(roundToSeconds)).toEqual([1, 1, 1, 2, 8]);
  expect([0, 1_960, 7_600, 9_499, 75_000, 3_599_600, 3_661_000].map(formatDuration)).toEqual([
    "0:01",
    "0:02",
    "0:08",
    "0:09",
    "1:15",
    "1:00:00",
    "1:01:01",
  ]);
});
