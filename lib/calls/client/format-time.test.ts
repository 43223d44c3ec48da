import { expect, test } from "vitest";
import { formatLocalTime } from "./format-time.ts";

test("a time before today includes the day", () => {
  const now = new Date(2026, 4, 4, 9, 0).getTime();
  expect(formatLocalTime(new Date(2026, 4, 4, 8, 5).getTime(), now)).toBe("08:05");
  expect(formatLocalTime(new Date(2026, 4, 3, 23, 59).getTime(), now)).toBe("yesterday, 23:59");
  expect(formatLocalTime(new Date(2026, 3, 30, 10, 41).getTime(), now)).toBe("April 30, 10:41");
});
