// Checks how HTML becomes MDX, by what the site makes of it.

import { expect, test } from "vitest";
import { htmlFrom } from "#tests/support/compile-text.ts";
import { htmlToMdx } from "./html-to-mdx.ts";
import { normalizeWordPressHtml } from "./wordpress-html.ts";

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
  "1) no list",
  "1984.",
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

test("emphasis next to other emphasis or before a line break shows no asterisks", async () => {
  const { mdx } = convert(
    "<p><strong>Hel</strong><b>lo</b> <em>a</em><em>b</em></p><p><em>One<br></em>“two”</p>",
  );
  expect(await htmlFrom(mdx)).toBe(
    "<p><strong>Hel</strong><strong>lo</strong> <em>a</em><em>b</em></p>\n<p><em>One<br>\n</em>“two”</p>",
  );
});

test("a line break at the end of a block shows no backslash and breaks no element", async () => {
  const { mdx } = convert(
    "<p>a<br></p><br><p>b <u>c<br></u></p><p><strong>d<br></strong></p><ul><li>e<br/>\n</li><li>f<br><ul><li>g</li></ul></li></ul><p>h<br><img src='https://a.example/x.png'></p>",
  );
  const html = await htmlFrom(mdx);
  expect(html).not.toMatch(/[\\*]/);
  expect(html).toContain("<p>b <u>c</u></p>\n<p><strong>d</strong></p>");
  expect(html).toContain("<p>h<br>");
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

test("a gallery keeps its own caption and those of its pictures", () => {
  const picture = (name: string, caption: string) =>
    `<figure class="wp-block-image"><img src="https://a.example/${name}.png">${caption}</figure>`;
  const { mdx } = convert(
    `<figure class="wp-block-gallery">${picture("a", "<figcaption>One</figcaption>")}${picture("b", "")}<figcaption>All</figcaption></figure>`,
  );
  expect(mdx).toBe(
    '<figure>\n\n![](https://a.example/a.png "One")\n\n![](https://a.example/b.png)\n\n<figcaption>All</figcaption>\n\n</figure>\n',
  );
});

test("a formula stays a formula", async () => {
  const { mdx } = convert(
    `<div class="latex-rendered" data-attrs='{"persistentExpression":"a \\\\le {b}"}'></div>`,
  );
  expect(mdx).toBe("$$\na \\le {b}\n$$\n");
  expect(await htmlFrom(mdx)).toContain("<math");
});

const emptyExport = {
  findAttachmentUrl: () => null,
  listImageIds: () => [],
  findReusableBlock: () => null,
};

test("a classic WordPress post keeps the lines in its quotes, and tags that span lines", () => {
  const { html } = normalizeWordPressHtml(
    '<blockquote>Roses\nViolets</blockquote>\n\nSee <a href="https://a.example/"\n\n  title="A">it</a>\nnow.\n<ul>\n<li>one\ntwo</li>\n</ul>\n<table>\n<thead>\n<tr>\n<th>x</th>\n</tr>\n</thead>\n</table>',
    emptyExport,
  );
  expect(convert(html).mdx).toBe(
    '> Roses\\\n> Violets\n\nSee [it](https://a.example/ "A")\\\nnow.\n\n- one\\\n  two\n\n| x |\n| --- |\n',
  );
});

test("WordPress text between a block's comment and a dynamic block on one line is kept", () => {
  const { html } = normalizeWordPressHtml(
    '<!-- wp:paragraph {"a":1} --><p>Text</p><!-- /wp:paragraph --><!-- wp:latest-posts {"b":2} /-->',
    emptyExport,
  );
  expect(html).toBe("<p>Text</p>");
});

test("long runs of breaks, spaces, brackets and unclosed tags are converted in linear time", () => {
  const label = `${"<br>".repeat(40_000)}text<br>`;
  const { mdx } = convert(`<p><a href="https://a.example/">${label}</a> end</p>`);
  expect(mdx.slice(-100)).toContain("\\\ntext](https://a.example/)\\\nend");
  for (const html of [`a${" ".repeat(160_000)}b`, "<li ".repeat(40_000), "[ab]".repeat(40_000)])
    expect(normalizeWordPressHtml(html, emptyExport).warnings).toEqual([]);
}, 40_000);

test("Substack's hint to the writer is removed, and its uploads are reported", () => {
  const { mdx, warnings } = convert(
    '<div class="preformatted-block" data-component-name="PreformattedTextBlockToDOM"><label class="hide-text" contenteditable="false">Text within this block will maintain its original spacing when published</label><pre class="text">A\n  poem</pre></div><div class="native-video-embed" data-component-name="VideoPlaceholder" data-attrs="{&quot;mediaUploadId&quot;:&quot;b66a&quot;}"></div><div class="native-audio-embed" data-attrs="{}"></div>',
  );
  expect(mdx).toBe("```\nA\n  poem\n```\n");
  expect(warnings).toEqual([
    "an uploaded video was left out. Download it from Substack",
    "an uploaded audio file was left out. Download it from Substack",
  ]);
});

test("what Substack stores only in attributes is kept, or reported", () => {
  const attrs = (data: object) => `data-attrs='${JSON.stringify(data)}'`;
  const { mdx, warnings } = convert(
    `<p>As <span class="mention-wrap" ${attrs({ name: "Ada_L", type: "user" })}></span>’s post says:</p><div class="twitter-embed" ${attrs({ url: "https://x.com/ada/status/1", full_text: "Hi" })}></div><div class="polymarket-embed" ${attrs({ id: 1 })}></div>`,
  );
  expect(mdx).toBe("As Ada\\_L’s post says:\n\nhttps://x.com/ada/status/1\n");
  expect(warnings).toEqual(['an empty "polymarket-embed" was left out']);
});

test("a paragraph that contains only elements stays a paragraph", async () => {
  const { mdx } = convert(
    "<p><u>Title</u></p><p><span><small>b <em>c</em></small></span> <ins>d</ins></p><p></p><p>e</p>",
  );
  expect(await htmlFrom(mdx)).toBe(
    "<p><u>Title</u></p>\n<p><small>b <em>c</em></small> <ins>d</ins></p>\n<p>e</p>",
  );
});

test("an abbreviation keeps its title", () => {
  const { mdx } = convert('<p>The <abbr title="World &quot;Wide&quot; {Web}">WWW</abbr></p>');
  expect(mdx).toBe('The <abbr title="World &quot;Wide&quot; {Web}">WWW</abbr>\n');
});

test.each([
  ["<p><code>a<br>b</code></p>", "`a b`"],
  ['<p><a href="https://a.example/">a<br></a>b</p>', "[a](https://a.example/)\\\nb"],
  [
    '<figure><img src="https://a.example/x.png"><figcaption>a<br>b</figcaption></figure>',
    "<figure>\n\n![](https://a.example/x.png)\n\n<figcaption>a<br />b</figcaption>\n\n</figure>",
  ],
  [
    "<details><summary>a<br>b</summary><p>c</p></details>",
    "<details>\n<summary>a<br />b</summary>\n\nc\n\n</details>",
  ],
  ["<blockquote>a<br><cite>b</cite></blockquote>", "> a\n>\n> — b"],
])("a line break in %j shows no backslash", (html, mdx) => {
  expect(convert(html).mdx).toBe(`${mdx}\n`);
});

test("adjacent code stays apart, and a linked heading shows no number signs", async () => {
  const { mdx } = convert(
    '<p><code>a</code><code>`b`</code> c</p><a href="https://a.example/"><h3>Title #1</h3><p>text</p></a>',
  );
  expect(await htmlFrom(mdx)).toBe(
    '<p><code>a</code><code>`b`</code> c</p>\n<p><a href="https://a.example/" rel="noopener">Title #1 text</a></p>',
  );
});
