import { expect, test } from "vitest";
import { compileText, htmlFrom } from "#tests/support/compile-text.ts";

test("a table is in a scrollable region with a unique name that can be focused", async () => {
  const html = await htmlFrom("| Node | ms |\n| - | -: |\n| 1 | 2 |\n\ntext\n\n| a |\n| - |\n");
  expect(html).toContain(
    '<div class="table" tabindex="0" role="region" aria-label="Table 1: Node, ms"><table>',
  );
  expect(html).toContain('aria-label="Table 2: a"');
});

test("only external links get rel=noopener", async () => {
  const html = await htmlFrom("[a](https://x.example) [b](/blog/x) [c](#y)");
  expect(html).toBe(
    '<p><a href="https://x.example" rel="noopener">a</a> <a href="/blog/x">b</a> <a href="#y">c</a></p>',
  );
});

test("<Link/> is a link", async () => {
  expect(await htmlFrom('<Link href="/x">y</Link>')).toBe('<a href="/x">y</a>');
});

test("a link inside a link is removed, with a warning", async () => {
  const post = await compileText('<a href="/x">a <b><a href="/y">b</a></b></a>');
  expect(post.compiledSource).toContain('<a href=\\"/x\\">a <b>b</b></a>');
  expect(post.warnings).toEqual(["blog/test.mdx:1: a link inside a link was removed"]);
});

test("a table's long name ends with a whole character, and a line break is a space", async () => {
  const header = `a<br>b${"c".repeat(115)}😀😀`;
  const html = await htmlFrom(`| ${header} |\n| - |\n| 1 |\n`);
  expect(html).toContain('aria-label="Table 1: a b');
  expect(html.isWellFormed()).toBe(true);
});
