import { expect, test } from "vitest";
import { isSlug } from "./slug.ts";

test("a slug may have letters and digits of any script, capitals, dots and hyphens", () => {
  for (const slug of [
    "a",
    "café",
    "数据库",
    "v1.0",
    "CamelCase",
    "a--b",
    "अनुच्छेद",
    "می‌خواهم",
    "1984",
    "2026/a",
  ])
    expect([slug, isSlug(slug)]).toEqual([slug, true]);
  for (const slug of [
    "",
    "a b",
    "a//b",
    "/a",
    "a/../b",
    "a/",
    "-a",
    "a.",
    "..",
    "a?b",
    "50%",
    "a#b",
    "x".repeat(101),
  ])
    expect([slug, isSlug(slug)]).toEqual([slug, false]);
});
