// Tests Markdown and HTML: GFM, footnotes, details, video, styles, classes.

import { expect, test } from "vitest";
import { compileText, htmlFrom } from "#tests/support/compile-text.ts";

test("a plain post is one node", async () => {
  const post = await compileText(
    "# Title\n\nText with **bold**.\n\n- one\n- two\n\n| a |\n| - |\n| 1 |\n",
  );
  expect(post.compiledSource.match(/\(StaticHtml, \{/g)).toHaveLength(1);
  expect(post.compiledSource).not.toContain("_components");
  expect(post.components).toEqual([]);
});

test("GFM: strikethrough, bare links, task lists with named boxes", async () => {
  const html = await htmlFrom("~~gone~~ see https://x.example/a now\n\n- [x] done\n- [ ] open\n");
  expect(html).toContain("<del>gone</del>");
  expect(html).toContain('<a href="https://x.example/a" rel="noopener">https://x.example/a</a>');
  expect(html).toContain('<input type="checkbox" checked disabled aria-label="Done">');
  expect(html).toContain('<input type="checkbox" disabled aria-label="To do">');
});

test("footnotes link both ways, and their heading is not a heading of the post", async () => {
  const post = await compileText("## One\n\nText[^1].\n\n[^1]: Note.\n");
  expect(post.compiledSource).toContain("data-footnote-ref");
  expect(post.compiledSource).toContain('class=\\"visually-hidden\\" id=\\"footnote-label\\"');
  expect(post.headings).toEqual([{ depth: 2, id: "one", text: "One" }]);
});

test("<details>, <video>, class and className, styles as text and as object", async () => {
  const html = await htmlFrom(
    [
      "<details open>\n<summary>More</summary>\n\nHidden **text**\n\n</details>",
      '<video controls muted playsInline src="https://v.example/a.webm" poster="https://v.example/a.png" />',
      '<div class="a b">x</div>',
      '<div className="c">x</div>',
      '<div style="color: red">x</div>',
      "<div style={{ marginTop: 4, lineHeight: 2, '--own': 1, WebkitLineClamp: 3, backgroundColor: 'red' }}>x</div>",
    ].join("\n\n"),
  );
  expect(html).toContain(
    "<details open><summary>More</summary><p>Hidden <strong>text</strong></p></details>",
  );
  expect(html).toContain(
    '<video controls muted playsinline src="https://v.example/a.webm" poster="https://v.example/a.png"></video>',
  );
  expect(html).toContain('<div class="a b">x</div>');
  expect(html).toContain('<div class="c">x</div>');
  expect(html).toContain('<div style="color: red">x</div>');
  expect(html).toContain(
    '<div style="margin-top:4px;line-height:2;--own:1;-webkit-line-clamp:3;background-color:red">x</div>',
  );
});

test("comments, unclosed <br> and <img>, in prose but not in code", async () => {
  const html = await htmlFrom(
    'a<br>b <!-- gone --> c\n\n<!--\n## gone too\n-->\n\n<img src="/x.png" alt="a > b">\n\n`<br> <!-- stays -->`\n\n```html\n<br> <!-- stays -->\n```\n',
  );
  expect(html).toContain("<p>a<br>b");
  expect(html).not.toContain("gone");
  expect(html).toContain('alt="a > b"');
  expect(html).toContain("<code>&#x3C;br> &#x3C;!-- stays --></code>");
  expect(html.match(/stays/g)).toHaveLength(2);
});

test("text and numbers in braces are shown, comments are not", async () => {
  expect(await htmlFrom('a{" "}b {3} {"{"} {/* no */} {`t`}')).toBe("<p>a b 3 {  t</p>");
});

test("SVG attributes keep their case", async () => {
  const html = await htmlFrom(
    '<svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0" strokeWidth={2} /></svg>',
  );
  expect(html).toBe(
    '<svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0" stroke-width="2"></path></svg>',
  );
});

test("a .md file is Markdown with HTML: braces are text and tags are elements", async () => {
  const html = await htmlFrom(
    'Set {x} to <b class="y">1</b>.\n\n<!-- no -->\n\n<callout-info>\n\nYes *it* is\n\n</callout-info>\n\nhttps://x.example/only\n\n```js [2]\na\nb\n```\n',
    { file: "blog/test.md" },
  );
  expect(html).toContain('<p>Set {x} to <b class="y">1</b>.</p>');
  expect(html).toContain('<aside class="callout callout-info"');
  expect(html).toContain('<Embed url="https://x.example/only"></Embed>');
  expect(html).toContain('<span class="line highlighted">');
  expect(html).not.toContain("<!--");
});

test("words and reading time count only visible text", async () => {
  const post = await compileText(
    `## Title\n\n${"word ".repeat(400)}\n\n<callout-info>two words</callout-info>\n\n![not counted](/x.png)\n`,
  );
  expect(post.words).toBe(403);
  expect(post.readingMinutes).toBe(3);
  expect(post.text.split("\n")[0]).toBe("Title");
  expect((await compileText("")).readingMinutes).toBe(1);
  expect((await compileText("速度が大切です")).words).toBe(7);
  expect((await compileText("ระบบฐานข้อมูลขนาดเล็ก SQLite")).words).toBe(6);
});

test("each stage has a duration", async () => {
  const { stages } = await compileText("Text\n");
  expect(stages.map((stage) => stage.name)).toEqual([
    "parse",
    "remark",
    "rehype",
    "highlight",
    "collapse",
    "serialize",
  ]);
  expect(stages.every((stage) => stage.ms >= 0)).toBe(true);
});

test("emoji shortcodes are emoji, except in code and unknown ones", async () => {
  const html = await htmlFrom("Done :tada: at 10:30:45, :nope: and `:tada:`\n");
  expect(html).toBe("<p>Done 🎉 at 10:30:45, :nope: and <code>:tada:</code></p>");
});

test.each(["blog/test.mdx", "blog/test.md"])(
  "%s may have CRLF, tabs, tilde fences, nested fences and addresses in text",
  async (file) => {
    const body =
      "Mail a@example.com, 1 \\< 2\r\n\r\n~~~js\r\n\tif (a < b) {}\r\n~~~\r\n\r\n````md\r\n```js\r\n{x}\r\n```\r\n````\r\n";
    const post = await compileText(body, { file });
    expect(post.text.split("\n")).toEqual([
      "Mail a@example.com, 1 < 2",
      "if (a < b) {}",
      "```js",
      "{x}",
      "```",
    ]);
  },
);

test("code and quoted values that contain # do not set the id of the heading above", async () => {
  for (const paragraph of [
    "`{:error, #PID<0.1>}` is returned.",
    '{: style="color:#fff"}',
    "{: .a #b} is kramdown.",
  ])
    expect(
      await htmlFrom(`## Errors\n\n${paragraph}`, { file: "blog/test.md" }),
      paragraph,
    ).toContain('<h2 id="errors">');
});

test("kramdown's attribute lists are not shown, and set the ids of headings", async () => {
  const body = [
    "* TOC\n{:toc}",
    "## One\n{: #first .big}",
    "A `{:.code}` and {:ok, x} stay.\n{: .note}",
    '![a](/a.png){: width="50" }',
    "> Quote\n{: .prompt-tip }",
    "| a |\n| - |\n| 1 |\n{:.table}",
    "- one\n- two\n{:.list}",
  ].join("\n\n");
  const html = await htmlFrom(body, { file: "blog/test.md", images: { "/a.png": { src: "/a" } } });
  expect(html).toContain('<a href="#first">One</a>');
  expect(html).toContain('<h2 id="first">');
  expect(html).toContain("<p>A <code>{:.code}</code> and {:ok, x} stay.</p>");
  expect(html.match(/\{:/g)).toHaveLength(2);
  expect(html).not.toMatch(/<td>\s*<\/td>|<p>\s*<\/p>|TOC/);
});

test("lines between the tags of a paragraph or heading are not another paragraph", async () => {
  expect(await htmlFrom('<p align="center">\n  one *two*\n</p>')).toBe(
    '<p align="center">one <em>two</em></p>',
  );
  expect(await htmlFrom("<h2>\n  Title\n</h2>")).toBe(
    '<h2 id="title"><a class="heading-link" href="#title">Title</a></h2>',
  );
  expect(await htmlFrom('<p align="center">\n\none\n\ntwo\n\n</p>')).toBe(
    '<div align="center"><p>one</p><p>two</p></div>',
  );
});

test("template tags of other engines are reported, but not those in code", async () => {
  const body = [
    "{% highlight ruby %}\nputs 1\n{% endhighlight %}",
    '{{< figure src="/a.png" >}} and `{% raw %}`',
    "<div>{%- include a.html -%}</div>",
    "```\n{{% notice %}}\n```",
  ].join("\n\n");
  const { warnings } = await compileText(body, { file: "blog/test.md" });
  expect(warnings.map((warning) => warning.slice(0, warning.indexOf(" is ")))).toEqual([
    "blog/test.md:1: the template tag highlight",
    "blog/test.md:1: the template tag endhighlight",
    "blog/test.md:5: the template tag figure",
    "blog/test.md:7: the template tag include",
  ]);
});
