import { expect, test } from "vitest";
import { parseReaderLanguages } from "./reader-languages.ts";

test("languages are read in the order of their weights, each once", () => {
  expect(parseReaderLanguages("de-AT,de;q=0.9, en-US;q=0.8, es;q=0.85")).toEqual([
    "de",
    "es",
    "en",
  ]);
  expect(parseReaderLanguages("en;q=0, DE ; q=0.5")).toEqual(["de"]);
});

test("anything else is ignored", () => {
  for (const header of [null, undefined, "", "*", ";q=1", "de;q=9", "<script>", ",,,", "e"])
    expect(parseReaderLanguages(header), String(header)).toEqual([]);
  expect(parseReaderLanguages(`${"x,".repeat(100_000)}de`)).toEqual([]);
  expect(parseReaderLanguages("aa,bb,cc,dd,ee,ff,gg")).toHaveLength(5);
});
