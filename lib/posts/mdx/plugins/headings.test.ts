import { expect, test } from "vitest";
import { compileText, htmlFrom } from "#tests/support/compile-text.ts";
import { countWords } from "./plain-text.ts";

test("a heading is its own link", async () => {
  expect(await htmlFrom("## Why `SQLite`?")).toBe(
    '<h2 id="why-sqlite"><a class="heading-link" href="#why-sqlite">Why <code>SQLite</code>?</a></h2>',
  );
});

test("repeated headings get ids with a number", async () => {
  const post = await compileText("## Same\n\n## Same\n\n### Same\n\n## Same 1\n");
  expect(post.headings.map((heading) => heading.id)).toEqual([
    "same",
    "same-1",
    "same-2",
    "same-1-1",
  ]);
});

test("a heading that contains a link gets an anchor next to it, never around it", async () => {
  const html = await htmlFrom('## The [docs](https://x.example) say "no"\n');
  expect(html).toBe(
    '<h2 id="the-docs-say-no" aria-label="The docs say &#x22;no&#x22;">The <a href="https://x.example" rel="noopener">docs</a> say "no" ' +
      '<a class="heading-anchor anchor" href="#the-docs-say-no" aria-label="Link to “The docs say &#x22;no&#x22;”"><span aria-hidden="true">#</span></a></h2>',
  );
});

test("the mark of an anchor is not part of the text", async () => {
  expect((await compileText("## The [docs](https://x.example)\n")).text).toBe("The docs");
});

test("if a post uses #, all headings move down one level below the page's title", async () => {
  const post = await compileText("# A\n\n## B\n\n###### C\n");
  expect(post.headings).toEqual([
    { depth: 2, id: "a", text: "A" },
    { depth: 3, id: "b", text: "B" },
  ]);
  expect(post.compiledSource).toContain('<h6 id=\\"c\\">');
});

test("an id of the page is never used", async () => {
  const { headings } = await compileText("## Main\n\n## Post title\n\n## Found\n");
  expect(headings.map(({ id }) => id)).toEqual(["main-1", "post-title-1", "found-1"]);
});

test("an id set by the author is kept", async () => {
  expect(await htmlFrom('<h2 id="mine">Title</h2>')).toContain('<h2 id="mine">');
});

test.each([
  ["a.mdx", "## My *title* {#mine}"],
  ["a.mdx", "## My *title* \\{#mine}"],
  ["a.mdx", "## My *title* {/* #mine */}"],
  ["a.md", "My *title* {#mine}\n---"],
  ["a.md", "## My *title* {#mine .big}"],
])("in %s, %j sets the heading's id", async (file, body) => {
  const post = await compileText(`${body}\n\nA brace {#a} stays text.\n`, { file });
  expect(post.headings).toEqual([{ depth: 2, id: "mine", text: "My title" }]);
  expect(post.text).toContain("A brace {#a} stays");
});

test("a heading without words still has an id", async () => {
  expect(await htmlFrom("## ![](/x.png)\n")).toContain('<h2 id="section">');
});

test("<TOCInline/> lists the headings, nested, without excluded ones", async () => {
  const html = await htmlFrom(
    '<TOCInline toc={props.toc} exclude="Skip" />\n\n## A\n\n### B\n\n## Skip\n',
  );
  expect(html).toContain(
    '<nav class="contents" aria-label="In this post"><ul><li><a href="#a">A</a><ul><li><a href="#b">B</a></li></ul></li></ul></nav>',
  );
});

test.each([
  ["a.md", "[[toc]]"],
  ["a.mdx", "[TOC]"],
])("in %s, %s alone in a paragraph lists the headings", async (file, body) => {
  const html = await htmlFrom(`${body}\n\nAn [[toc]] in text.\n\n\`[[toc]]\`\n\n## A\n`, { file });
  expect(html).toMatch(/^<nav class="contents" aria-label="In this post"><ul><li><a href="#a">/);
  expect(html).toContain("<p>An [[toc]] in text.</p>\n<p><code>[[toc]]</code></p>");
});

test("the name of a heading with a link is its text, without the anchor's name", async () => {
  expect(await htmlFrom("## See [the docs](https://x.example)\n")).toMatch(
    /^<h2 id="see-the-docs" aria-label="See the docs">/,
  );
});

test("an id that another element has is not given to a heading", async () => {
  const post = await compileText('<a id="intro"></a>\n\n## Intro\n');
  expect(post.headings).toEqual([{ depth: 2, id: "intro-1", text: "Intro" }]);
});

test("a heading of emoji or punctuation has an id that a link can name", async () => {
  const post = await compileText("## 🎉\n\n## ???\n\n## Section\n");
  expect(post.headings.map(({ id }) => id)).toEqual(["section", "section-1", "section-2"]);
});

test("an earlier heading with the same words doesn't take an author's id", async () => {
  const post = await compileText('## Intro\n\n<h2 id="intro">Other</h2>\n');
  expect(post.headings.map(({ id }) => id)).toEqual(["intro-1", "intro"]);
});

test("a line break in a heading is a space in its name", async () => {
  expect((await compileText("## One<br>two\n")).headings).toEqual([
    { depth: 2, id: "one-two", text: "One two" },
  ]);
});

test("a footnote's number is not part of a heading's text", async () => {
  const { headings } = await compileText("## Title[^1]\n\n[^1]: Note\n");
  expect(headings).toEqual([{ depth: 2, id: "title", text: "Title" }]);
});

test("long runs of spaces in a heading and of punctuation in a text are read in linear time", async () => {
  expect(await htmlFrom(`## a${" ".repeat(100_000)}b`)).toContain("</h2>");
  expect(countWords(`${".".repeat(100_000)} a ${".".repeat(100_000)}`)).toBe(1);
}, 20_000);
