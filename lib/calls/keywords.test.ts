import { expect, test } from "vitest";
import { cleanKeywords, keywordList } from "./keywords.ts";

test("keywords are a list without empty and repeated words, whatever their case", () => {
  expect(keywordList(" a ,b,, a")).toEqual(["a", "b"]);
  expect(keywordList("Redis, redis,  REDIS ,write   queue")).toEqual(["Redis", "write queue"]);
  expect(keywordList("")).toEqual([]);
});

test("what is stored has one comma and one space between words, and is the same when cleaned again", () => {
  const kept = cleanKeywords(",, names ,files,NAMES,");
  expect(kept).toBe("names, files");
  expect(cleanKeywords(kept)).toBe(kept);
  expect(cleanKeywords(", ,,")).toBe("");
});
