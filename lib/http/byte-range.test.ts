import { expect, test } from "vitest";
import { parseByteRange } from "./byte-range.ts";

const cases: [string | null, ReturnType<typeof parseByteRange>][] = [
  [null, null],
  ["bytes=0-", { start: 0, end: 99 }],
  ["bytes=0-0", { start: 0, end: 0 }],
  ["bytes=10-19", { start: 10, end: 19 }],
  ["Bytes=10-19 ", { start: 10, end: 19 }],
  ["bytes=99-", { start: 99, end: 99 }],
  ["bytes=50-1000", { start: 50, end: 99 }],
  ["bytes=-10", { start: 90, end: 99 }],
  ["bytes=-100", { start: 0, end: 99 }],
  ["bytes=-1000", { start: 0, end: 99 }],
  ["bytes=0-99999999999999999999999", { start: 0, end: 99 }],
  ["bytes=100-", "bad"],
  ["bytes=100-200", "bad"],
  ["bytes=99999999999999999999999-", "bad"],
  ["bytes=-0", "bad"],
  ["bytes=20-10", "bad"],
  ["bytes=-", null],
  ["bytes=", null],
  ["bytes=a-b", null],
  ["bytes=1.5-2", null],
  ["bytes=0-9,20-29", null],
  ["items=0-9", null],
];
for (const [header, expected] of cases) {
  test(`of 100 bytes ${JSON.stringify(header)} asks for ${expected === null ? "the whole" : JSON.stringify(expected)}`, () => {
    expect(parseByteRange(header, 100)).toEqual(expected);
  });
}

test("an empty body has no ranges", () => {
  expect([parseByteRange("bytes=0-", 0), parseByteRange("bytes=-1", 0)]).toEqual(["bad", "bad"]);
});
