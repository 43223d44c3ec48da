import { expect, test } from "vitest";
import { compileText, htmlFrom, htmlOf } from "#tests/support/compile-text.ts";

/** Returns the href and the recorded link of `[a](url)` in `file`. */
async function resolve(url: string, file = "blog/test.mdx") {
  const post = await compileText(`[a](${url})`, {
    file,
    images: { "./doc.pdf": { src: "/content-file/doc.pdf?v=1", width: 1, height: 1 } },
  });
  const href = /href="([^"]*)"/.exec(htmlOf(post))?.[1];
  return { href, links: post.links.map((link) => link.url), warnings: post.warnings };
}

test("a link to a post's file leads to its address, with its part and query", async () => {
  const cases: [url: string, file: string, href: string][] = [
    ["./other.mdx", "blog/test.mdx", "/blog/other"],
    ["other.md#part", "blog/test.mdx", "/blog/other#part"],
    ["./other", "blog/test.mdx", "/blog/other"],
    ["../other.mdx?a=1#part", "blog/test/index.mdx", "/blog/other?a=1#part"],
    ["../other/index.mdx", "blog/test/index.mdx", "/blog/other"],
    ["./other", "blog/test/index.mdx", "/blog/other"],
    ["./index.mdx#part", "blog/test/index.mdx", "/blog/test#part"],
    ["./other", "blog/2026/test.mdx", "/blog/2026/other"],
    ["../other.mdx", "blog/2026/test.mdx", "/blog/other"],
    ["./other", "blog/2026/test/index.mdx", "/blog/2026/other"],
    ["../2025/other", "blog/2026/test.mdx", "/blog/2025/other"],
    ["../blog/caf%C3%A9.mdx", "pages/about.mdx", "/blog/caf%C3%A9"],
    ["../pages/about.mdx", "blog/test.mdx", "/about"],
    ["/blog/other.mdx", "blog/test.mdx", "/blog/other"],
    ["/blog/other#part", "blog/test.mdx", "/blog/other#part"],
    ["#part", "blog/test.mdx", "#part"],
    ["../calls", "blog/test.mdx", "/calls"],
  ];
  for (const [url, file, href] of cases)
    expect([url, (await resolve(url, file)).href]).toEqual([url, href]);
});

test("links within the site are recorded with their line, others are not", async () => {
  const post = await compileText(
    "One [a](./other.mdx?x#p).\n\nTwo [b](https://x.example), [c](mailto:a@x.example), [d](#e).\n\n## E",
  );
  expect(post.links).toEqual([
    { url: "/blog/other#p", line: 1 },
    { url: "#e", line: 3 },
  ]);
  expect(post.ids).toEqual(["e"]);
});

test("a link to a file next to the post leads to the file, and a missing file is reported", async () => {
  expect(await resolve("./doc.pdf#page=2")).toEqual({
    href: "/content-file/doc.pdf?v=1#page=2",
    links: [],
    warnings: [],
  });
  expect((await resolve("./nope.pdf")).warnings).toEqual([
    "blog/test.mdx:1: the link ./nope.pdf points to a file that is not part of this site",
  ]);
});

test("a post may link to a file, a chat or a calendar by its scheme", async () => {
  const urls = [
    "ftp://x.example/a",
    "irc://x.example/a",
    "xmpp:a@x.example",
    "webcal://x.example/a",
  ];
  const html = await htmlFrom(urls.map((url) => `[a](${url})`).join("\n"));
  for (const url of urls) expect(html).toContain(`<a href="${url}">a</a>`);
});

test("a URL in text ends before full-width punctuation and closing quotes", async () => {
  const html = await htmlFrom(
    "见 https://x.example/a，然后（https://x.example）。“https://x.example/b” [https://x.example/，](https://x.example/，)",
  );
  expect(html.replaceAll(' rel="noopener"', "")).toBe(
    '<p>见 <a href="https://x.example/a">https://x.example/a</a>，然后（<a href="https://x.example">https://x.example</a>）。“<a href="https://x.example/b">https://x.example/b</a>” <a href="https://x.example/%EF%BC%8C">https://x.example/，</a></p>',
  );
});
