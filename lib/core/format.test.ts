import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDate,
  formatDuration,
  formatReadingTime,
  roundToSeconds,
} from "./format.ts";

test("a date has its month and an ordinal", () => {
  expect(formatDate("2022-11-21")).toBe("November 21st, 2022");
  const ordinals = Array.from(
    { length: 31 },
    (_, i) => formatDate(`2024-01-${String(i + 1).padStart(2, "0")}`).match(/(\d+\w\w),/)?.[1],
  );
  expect(ordinals.join(" ")).toBe(
    "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th 15th 16th 17th 18th 19th 20th 21st 22nd 23rd 24th 25th 26th 27th 28th 29th 30th 31st",
  );
});

test.each([
  "2022-02-30",
  "2022-13-01",
  "2022-00-10",
  "21.11.2022",
  "",
  "2022-11-21T00:00:00Z",
  "yesterday",
])("%j is not a valid date", (date) => {
  expect(() => formatDate(date)).toThrow(/is not a valid date/);
});

test.each(["Pacific/Kiritimati", "America/Los_Angeles", "Pacific/Pago_Pago", "UTC"])(
  "a date is the same day in %s",
  (zone) => {
    const file = fileURLToPath(new URL("./format.ts", import.meta.url));
    const script = `
    import { formatDate } from ${JSON.stringify(file)};
    process.stdout.write([new Date().getTimezoneOffset() === 0, ...["2022-11-21", "2024-02-29", "2023-12-31", "2024-01-01", "2024-03-10"].map(formatDate)].join("|"));`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, TZ: zone },
      encoding: "utf8",
    });
    expect(out).toBe(
      [
        zone === "UTC",
        "November 21st, 2022",
        "February 29th, 2024",
        "December 31st, 2023",
        "January 1st, 2024",
        "March 10th, 2024",
      ].join("|"),
    );
  },
);

test.each([
  [0, "0"],
  [-3, "0"],
  [999, "999"],
  [1_000, "1k"],
  [1_234, "1.23k"],
  [12_300, "12.3k"],
  [498_230, "498.23k"],
  [498_239, "498.23k"],
  [999_999, "999.99k"],
  [1_000_000, "1M"],
  [1_239_999, "1.23M"],
  [5_000_000, "5M"],
])("%i is written %s", (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test("a reading time is in minutes", () => {
  expect(formatReadingTime(22)).toBe("22 min read");
});

test("a recording's length is rounded to the nearest second, and is at least one", () => {
  expect([0, 400, 1_499, 1_500, 7_600].map(roundToSeconds)).toEqual([1, 1, 1, 2, 8]);
});

test.each([
  ["length", 0, "0:01"],
  ["length", 1_960, "0:02"],
  ["length", 75_000, "1:15"],
  ["length", 3_599_600, "1:00:00"],
  ["length", 3_661_000, "1:01:01"],
  ["spoken-length", 0, "1 second"],
  ["spoken-length", 60_400, "1 minute"],
  ["position", -5, "0:00"],
  ["position", 999, "0:00"],
  ["position", 72_900, "1:12"],
  ["spoken-position", 0, "0 seconds"],
  ["spoken-position", 72_400, "1 minute 12 seconds"],
  ["spoken-position", 121_000, "2 minutes 1 second"],
  ["short", 4.4, "4 ms"],
  ["short", 999.7, "999 ms"],
  ["short", 1_234, "1.2 s"],
  ["short", 59_999, "59.9 s"],
  ["short", 90_000, "1 min 30 s"],
  ["short", 7_200_000, "2 h"],
  ["short", 4_800_000, "1 h 20 min"],
  ["largest-unit", 0, "0 seconds"],
  ["largest-unit", 90_000, "1 minute"],
  ["largest-unit", 7_200_000, "2 hours"],
  ["largest-unit", 3.9 * 86_400_000, "3 days"],
] as const)("as %s, %d ms is %s", (style, ms, text) => {
  expect(formatDuration(ms, style)).toBe(text);
});

test("a size has at most one decimal", () => {
  expect([0, 999, 1_536, 734_003, 999_960, 12_000_000, 1_234_500_000].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.5 kB",
    "734 kB",
    "1 MB",
    "12 MB",
    "1,234.5 MB",
  ]);
});
