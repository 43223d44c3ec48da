// Checks how HTML becomes MDX, by what the site makes of it.

import { expect, test } from "vitest";
import { htmlFrom } from "#tests/support/compile-text.ts";
import { htmlToMdx } from "./html-to-mdx.ts";

function convert(html: string) {
  const warnings: string[] = [];
  const mdx = htmlToMdx(html, {
    resolveAsset: (url) => url,
    isAsset: () => false,
    resolveLink: (url) => url,
    warn: (reason) => warnings.push(reason),
  });
  return { mdx, warnings };
}

test.each([
  "{braces} and } {{ mustache }}",
  "a &lt; b, &lt;tag&gt; and &lt;!-- no comment --&gt;",
  "import x from 'y'",
  "export const a = 1",
  "*no* _emphasis_ `no code` ~~kept~~ [no](link) ![no](image)",
  "# no heading",
  "1. no list",
  "- no list",
  ":::note",
  "::::",
  "&amp;lt; is no tag",
  "It costs $5 and $10, or $$x$$",
  "&gt; no quote",
  "a | b | c",
  "back\\slash \\{x}",
])("the text %j stays text", async (html) => {
  expect(await htmlFrom(convert(`<p>${html}</p>`).mdx)).toMatch(/^<p>[^<]*<\/p>$/);
  const shown = (await htmlFrom(convert(`<p>${html}</p>`).mdx)).replace(/<\/?p>/g, "");
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', amp: "&" };
  const decode = (text: string) =>
    text.replace(
      /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
      (_, hex: string, decimal: string, name: string) =>
        name
          ? named[name]!
          : String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal)),
    );
  expect(decode(shown)).toBe(decode(html));
});

test("emphasis next to letters and punctuation stays emphasis", async () => {
  const { mdx } = convert(
    "<p><strong>Note:</strong>text un<em>believ</em>able <b>重要。</b>然后</p>",
  );
  expect(await htmlFrom(mdx)).toBe(
    "<p><strong>Note:</strong>text un<em>believ</em>able <strong>重要。</strong>然后</p>",
  );
});

test("code keeps its characters, also three backticks", () => {
  const { mdx } = convert(
    '<pre class="lang-md"><code>```js\n{a}\n\n\n&lt;b&gt;\n```</code></pre><p><code>a `b` {c}</code></p>',
  );
  expect(mdx).toBe("````md\n```js\n{a}\n\n\n<b>\n```\n````\n\n``a `b` {c}``\n");
});

test("a table without a header, or with cells that span, stays HTML with its text", async () => {
  const html = await htmlFrom(
    convert(
      '<table><tbody><tr><td colspan="2" onclick="x()">{a} *b* <b>c</b></td></tr><tr><td>1</td><td><ul><li>x</li></ul></td></tr></tbody></table>',
    ).mdx,
  );
  expect(html).toContain('<td colspan="2">{a} *b* <b>c</b></td>');
  expect(html).toContain("<li>x</li>");
  expect(html).not.toContain("onclick");
});

test("what a post may not contain is left out and reported", async () => {
  const { mdx, warnings } = convert(
    '<p>a</p><script>alert(1)</script><form><input name="x"></form><p><a href="javascript:alert(1)">b</a></p><iframe src="https://evil.example/x"></iframe><p onclick="x()">c</p>',
  );
  expect(mdx).toBe("a\n\nb\n\n[evil.example](https://evil.example/x)\n\nc\n");
  expect(warnings).toEqual([
    "a script was left out",
    "a <form> was left out",
    "an iframe of evil.example became a link",
  ]);
  await htmlFrom(mdx);
});

test("lists keep their nesting, numbers and paragraphs", () => {
  expect(
    convert(
      '<ul><li>one<ol start="3"><li>three</li><li>four</li></ol></li><li><p>a</p><p>b</p></li></ul>',
    ).mdx,
  ).toBe("- one\n  3. three\n  4. four\n- a\n\n  b\n");
});

test("tweets, gists and players become addresses that the site shows as cards", () => {
  const { mdx } = convert(
    '<blockquote class="twitter-tweet"><p>Hi</p>&mdash; Ada (@ada) <a href="https://twitter.com/ada/status/1_2?ref_src=x">May 1</a></blockquote><script async src="https://platform.twitter.com/widgets.js"></script><script src="https://gist.github.com/ada/0a1b.js"></script><iframe src="https://open.spotify.com/embed/track/abc?x=1"></iframe><p><a href="https://example.com/a_b_c">https://example.com/a_b_c</a></p>',
  );
  expect(mdx).toBe(
    "https://twitter.com/ada/status/1_2\n\nhttps://gist.github.com/ada/0a1b\n\nhttps://open.spotify.com/track/abc\n\nhttps://example.com/a_b_c\n",
  );
});

test("a formula stays a formula", async () => {
  const { mdx } = convert(
    `<div class="latex-rendered" data-attrs='{"persistentExpression":"a \\\\le {b}"}'></div>`,
  );
  expect(mdx).toBe("$$\na \\le {b}\n$$\n");
  expect(await htmlFrom(mdx)).toContain("<math");
});
