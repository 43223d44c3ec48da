import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { formatCount, formatDate, formatReadingTime, noonUtc } from "./format.ts";

test("a date is written with its month and an ordinal", () => {
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
])("%j is not a day", (date) => {
  expect(() => formatDate(date)).toThrow(/is not a day/);
});

test.each(["Pacific/Kiritimati", "America/Los_Angeles", "Pacific/Pago_Pago", "UTC"])(
  "a date is the same day in %s",
  (zone) => {
    const file = fileURLToPath(new URL("./format.ts", import.meta.url));
    const script = `
    import { formatDate, noonUtc } from ${JSON.stringify(file)};
    process.stdout.write([new Date().getTimezoneOffset() === 0, ...["2022-11-21", "2024-02-29", "2023-12-31", "2024-01-01", "2024-03-10"].map((d) => formatDate(d) + " " + noonUtc(d).toUTCString())].join("|"));`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, TZ: zone },
      encoding: "utf8",
    });
    expect(out).toBe(
      [
        zone === "UTC",
        "November 21st, 2022 Mon, 21 Nov 2022 12:00:00 GMT",
        "February 29th, 2024 Thu, 29 Feb 2024 12:00:00 GMT",
        "December 31st, 2023 Sun, 31 Dec 2023 12:00:00 GMT",
        "January 1st, 2024 Mon, 01 Jan 2024 12:00:00 GMT",
        "March 10th, 2024 Sun, 10 Mar 2024 12:00:00 GMT",
      ].join("|"),
    );
  },
);

test("the moment of a day is its noon in UTC", () => {
  expect(noonUtc("2022-11-21").toISOString()).toBe("2022-11-21T12:00:00.000Z");
});

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

test("a reading time is written in minutes", () => {
  expect(formatReadingTime(22)).toBe("22 min read");
});
