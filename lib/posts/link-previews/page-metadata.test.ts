import { expect, test } from "vitest";
import { measureCpu } from "#tests/support/measure-cpu.ts";
import { parsePageMetadata, parseQuote } from "./page-metadata.ts";
import { cleanLine, cleanLines } from "./clean-text.ts";

const URL_ = "https://example.com/posts/one";

test("Open Graph has priority over the Twitter card, which has priority over the title element", () => {
  const html = `<title>Three</title><meta name="twitter:title" content="Two"><meta property="og:title" content="One">`;
  expect(parsePageMetadata(html, URL_).title).toBe("One");
  expect(parsePageMetadata(html.replace(/<meta property.*/, ""), URL_).title).toBe("Two");
  expect(parsePageMetadata("<title>Three</title>", URL_).title).toBe("Three");
});

test("entities are decoded, and markup in text stays text", () => {
  const meta = parsePageMetadata(
    `<meta property="og:title" content="Tom &amp; Jerry&#39;s &lt;script&gt;alert(1)&lt;/script&gt;"><meta name=description content='a "b"'>`,
    URL_,
  );
  expect(meta).toMatchObject({
    title: "Tom & Jerry's <script>alert(1)</script>",
    description: 'a "b"',
  });
});

test("the title of an SVG is not the page's", () => {
  expect(
    parsePageMetadata("<body><svg><title>Icon</title></svg></body>", URL_).title,
  ).toBeUndefined();
  expect(parsePageMetadata("<svg><title>Icon</title></svg><title>Page</title>", URL_).title).toBe(
    "Page",
  );
});

test("metadata inside a comment or a script is ignored", () => {
  expect(
    parsePageMetadata(
      `<!-- <meta property="og:title" content="A"> --><script>'<meta property="og:title" content="B">'</script><title>C</title>`,
      URL_,
    ).title,
  ).toBe("C");
});

test("an image URL is resolved against the page and its base", () => {
  expect(parsePageMetadata('<meta property="og:image" content="/a.png">', URL_).imageUrl).toBe(
    "https://example.com/a.png",
  );
  expect(
    parsePageMetadata(
      '<base href="https://cdn.example.net/x/"><meta property="og:image" content="a.png">',
      URL_,
    ).imageUrl,
  ).toBe("https://cdn.example.net/x/a.png");
  expect(
    parsePageMetadata('<meta property="og:image" content="http://">', URL_).imageUrl,
  ).toBeUndefined();
});

test("a truncated page is parsed", () => {
  expect(
    parsePageMetadata('<meta property="og:title" content="One"><meta property="og:descr', URL_)
      .title,
  ).toBe("One");
});

test.each([
  ["elements", (n: number) => "<div>".repeat(n)],
  ["attributes", (n: number) => `<meta ${"a=b ".repeat(n)}>`],
  ["titles", (n: number) => "<title>".repeat(n)],
  ["comments", (n: number) => "<!--".repeat(n)],
  ["entities", (n: number) => "&".repeat(n)],
])("a page of %s is parsed in linear time", (_, build) => {
  const [small, large] = [25_000, 8 * 25_000].map((n) => {
    const html = build(n);
    return measureCpu(() => parsePageMetadata(html, URL_));
  });
  // Quadratic time would be 64 times as long.
  expect(large! / small!).toBeLessThan(30);
});

test("the text of a quoted post keeps its line breaks, and its date is found", () => {
  const html = `<blockquote class="twitter-tweet"><p lang="en" dir="ltr">One &amp; two<br>three <a href="https://t.co/x">pic.twitter.com/x</a></p>&mdash; Kent (@k) <a href="https://twitter.com/k/status/1">March 8, 2020</a></blockquote>`;
  expect(parseQuote(html)).toEqual({
    text: "One & two\nthree pic.twitter.com/x",
    published: "March 8, 2020",
  });
  expect(parseQuote("")).toEqual({ text: undefined, published: undefined });
});

test("a line is trimmed, cleaned of invisible characters and truncated at a word", () => {
  expect(cleanLine("  a \n\t b  ", 10)).toBe("a b");
  expect(cleanLine("\u202egnp.exe\u0000", 20)).toBe("gnp.exe");
  expect(cleanLine("   ", 10)).toBeUndefined();
  expect(cleanLine("a\uD800", 10)).toBe("a\uFFFD");
  expect(cleanLine("one two three four", 12)).toBe("one two…");
  expect([...cleanLine("😀".repeat(50), 10)!].length).toBeLessThanOrEqual(10);
  expect(cleanLine("x".repeat(1_000_000), 200)!.length).toBeLessThanOrEqual(200);
});

test("lines keep one empty line between them", () => {
  expect(cleanLines("a\r\n\n\n\n  b  c\n", 100)).toBe("a\n\nb c");
});
