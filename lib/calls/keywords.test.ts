import { expect, test } from "vitest";
import { normalizeKeywords, parseKeywords } from "./keywords.ts";

test("empty and duplicate keywords are removed, ignoring case", () => {
  expect(parseKeywords(" a ,b,, a")).toEqual(["a", "b"]);
  expect(parseKeywords("Redis, redis,  REDIS ,write   queue")).toEqual(["Redis", "write queue"]);
  expect(parseKeywords("")).toEqual([]);
});

test("normalizing is idempotent, with a comma and a space between words", () => {
  const kept = normalizeKeywords(",, names ,files,NAMES,");
  expect(kept).toBe("names, files");
  expect(normalizeKeywords(kept)).toBe(kept);
  expect(normalizeKeywords(", ,,")).toBe("");
});
