import { expect, test } from "vitest";
import { normalizeKeywords, parseKeywords } from "./keywords.ts";

test("keywords are a list without empty and repeated words, whatever their case", () => {
  expect(parseKeywords(" a ,b,, a")).toEqual(["a", "b"]);
  expect(parseKeywords("Redis, redis,  REDIS ,write   queue")).toEqual(["Redis", "write queue"]);
  expect(parseKeywords("")).toEqual([]);
});

test("what is stored has one comma and one space between words, and is the same when cleaned again", () => {
  const kept = normalizeKeywords(",, names ,files,NAMES,");
  expect(kept).toBe("names, files");
  expect(normalizeKeywords(kept)).toBe(kept);
  expect(normalizeKeywords(", ,,")).toBe("");
});
