import { expect, test } from "vitest";
import { samplePost } from "#tests/support/sample-posts.ts";
import { AddressTable } from "./address-table.ts";
import { findBrokenLinks } from "./check-links.ts";
import { parseRedirects } from "./redirect-rules.ts";

function check(urls: readonly string[], components: string[] = []) {
  const [from, to] = ["from", "café"].map((slug) => samplePost({ slug }));
  const posts = [
    {
      ...from!,
      compiled: {
        ...from!.compiled,
        ids: ["own"],
        links: urls.map((url, i) => ({ url, line: i + 1 })),
      },
    },
    { ...to!, compiled: { ...to!.compiled, ids: ["part", "日本"], components } },
  ];
  const isPublicFile = (path: string) => path === "/resume.pdf";
  const { rules } = parseRedirects("/old /blog/from", "_redirects");
  return findBrokenLinks(posts, new AddressTable({ posts, rules, isPublicFile }), isPublicFile);
}

test("links to posts, pages, files and redirects are fine", () => {
  expect(
    check([
      "/blog/caf%C3%A9",
      "/blog/caf%C3%A9#part",
      "/blog/caf%C3%A9#%E6%97%A5%E6%9C%AC",
      "/blog/café.md",
      "#own",
      "#top",
      "/calls",
      "/feed.xml",
      "/resume.pdf",
      "/old",
      "/",
    ]),
  ).toEqual([]);
});

test("a link to a missing page or anchor is reported with file and line", () => {
  expect(check(["/blog/none", "/nothing", "/blog/caf%C3%A9#nope", "#nope"])).toEqual([
    "blog/from.mdx:1: the link /blog/none points to a page that doesn't exist",
    "blog/from.mdx:2: the link /nothing points to a page that doesn't exist",
    "blog/from.mdx:3: the link /blog/caf%C3%A9#nope points to an anchor that blog/café.mdx doesn't have",
    "blog/from.mdx:4: the link #nope points to an anchor that blog/from.mdx doesn't have",
  ]);
});

test("a part that a component may add is not reported", () => {
  expect(check(["/blog/caf%C3%A9#nope"], ["Tabs"])).toEqual([]);
});
