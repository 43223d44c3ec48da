import { expect, test } from "vitest";
import { isSlug, postPath } from "./post-path.ts";

const slugsOf = (paths: readonly string[]) => paths.map((path) => postPath(path)?.slug ?? null);

test("a file is a post by its name or its folder's, with an ending in any case", () => {
  expect(
    slugsOf([
      "blog/a.mdx",
      "blog/b/index.mdx",
      "blog/c.md",
      "blog/D.MDX",
      "blog/e/INDEX.Mdx",
      "blog/v1.0.mdx",
      "blog/readme.md.mdx",
      "blog/数据库.mdx",
    ]),
  ).toEqual(["a", "b", "c", "D", "e", "v1.0", "readme.md", "数据库"]);
  expect(postPath("pages/about.mdx")).toEqual({ slug: "about", kind: "page" });
});

test("a name in decomposed letters (macOS) has the slug of the composed ones", () => {
  expect(slugsOf(["blog/cafe\u0301.mdx", "blog/caf\u00e9/index.mdx"])).toEqual([
    "caf\u00e9",
    "caf\u00e9",
  ]);
});

test("a README, drafts, hidden files, backups and copies are not posts", () => {
  const paths = [
    "blog/README.md",
    "blog/readme.mdx",
    "blog/a/README.md",
    "blog/_drafts/index.mdx",
    "blog/_idea.mdx",
    "blog/.a.mdx",
    "blog/.obsidian/index.md",
    "blog/a.mdx~",
    "blog/a.mdx.bak",
    "blog/a.bak.mdx",
    "blog/a.mdx.orig",
    "blog/a copy.mdx",
    "blog/a copy 2.mdx",
    "blog/a (1).mdx",
    "blog/a/notes.mdx",
    "other/a.mdx",
  ];
  expect(slugsOf(paths)).toEqual(paths.map(() => null));
});

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
  ])
    expect([slug, isSlug(slug)]).toEqual([slug, true]);
  for (const slug of ["", "a b", "a/b", "-a", "a.", "..", "a?b", "50%", "a#b", "x".repeat(101)])
    expect([slug, isSlug(slug)]).toEqual([slug, false]);
});
