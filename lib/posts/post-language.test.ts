import { expect, test } from "vitest";
import { languageAttributes } from "./post-language.ts";

test.each([
  ["ar", "rtl"],
  ["he", "rtl"],
  ["fa-IR", "rtl"],
  ["ur", "rtl"],
  ["dv", "rtl"],
  ["az-Arab", "rtl"],
  ["ar-Latn", "ltr"],
  ["de", "ltr"],
  ["pt-BR", "ltr"],
  ["ja", "ltr"],
])("a text in %s is %s", (lang, dir) => {
  expect(languageAttributes({ lang })).toEqual({ lang, dir });
});

test("a post without a language has the site's, stated only if it is written from right to left", () => {
  expect(languageAttributes({}, "en")).toEqual({});
  expect(languageAttributes({}, "de")).toEqual({});
  expect(languageAttributes({}, "he")).toEqual({ lang: "he", dir: "rtl" });
  expect(languageAttributes({ lang: "en" }, "he")).toEqual({ lang: "en", dir: "ltr" });
});
