import { expect, test } from "vitest";
import { postPath } from "./post-path.ts";

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

test("a file in folders of blog has their names in its slug; pages have no folders", () => {
  expect(
    slugsOf(["blog/2026/a.mdx", "blog/2026/b/index.mdx", "blog/x/y/数据库.md", "pages/x/y.mdx"]),
  ).toEqual(["2026/a", "2026/b", "x/y/数据库", null]);
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
    "blog/_drafts/2026/a.mdx",
    "other/a.mdx",
  ];
  expect(slugsOf(paths)).toEqual(paths.map(() => null));
});
