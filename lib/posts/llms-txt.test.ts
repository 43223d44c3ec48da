import { expect, test } from "vitest";
import { sampleIndex } from "#tests/support/sample-posts.ts";
import { renderLlmsTxt } from "./llms-txt.ts";

const SITE = {
  url: "https://example.com",
  name: "Ada's notebook",
  description: "On engines.",
  author: "Ada King",
  language: "en",
};

test("llms.txt links the Markdown of every listed post, newest first", () => {
  const index = sampleIndex(
    { slug: "older", title: "Maps [and] sets", date: "2026-01-02", description: "Two\nlines." },
    { slug: "newer", title: "New", date: "2026-02-03" },
    { slug: "hidden", unlisted: true },
    { slug: "unfinished", draft: true },
  );
  const text = renderLlmsTxt(index, SITE);
  expect(text).toMatch(/^# Ada's notebook\n\n> On engines\.\n\n/);
  expect(text.match(/^- .*blog.*$/gm)).toEqual([
    "- [New](https://example.com/blog/newer.md): 2026-02-03, A description.",
    String.raw`- [Maps \[and\] sets](https://example.com/blog/older.md): 2026-01-02, Two lines.`,
  ]);
});
