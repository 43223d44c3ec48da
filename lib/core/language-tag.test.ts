import { expect, test } from "vitest";
import { parseLanguageTag } from "./language-tag.ts";

test("a tag is parsed into its primary language and likely script, also from the cache", () => {
  for (let i = 0; i < 2; i++) {
    expect(parseLanguageTag("de-AT")).toEqual({ language: "de", script: "Latn" });
    expect(parseLanguageTag("ar")).toEqual({ language: "ar", script: "Arab" });
    expect(parseLanguageTag("az-Arab")).toEqual({ language: "az", script: "Arab" });
  }
  expect(() => parseLanguageTag("not a tag")).toThrow(RangeError);
});
