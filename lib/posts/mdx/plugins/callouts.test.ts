import { expect, test } from "vitest";
import { compileText, htmlFrom, htmlOf, problemOf } from "#tests/support/compile-text.ts";

test.each([
  ["info", "Information"],
  ["success", "Success"],
  ["warning", "Warning"],
  ["danger", "Danger"],
  ["muted", "Aside"],
])("<callout-%s> is an aside labeled with its kind", async (kind, label) => {
  expect(await htmlFrom(`<callout-${kind}>\n\nText **here**\n\n</callout-${kind}>`)).toBe(
    `<aside class="callout callout-${kind}" role="note" aria-label="${label}"><p>Text <strong>here</strong></p></aside>`,
  );
});

test("class and className, aside and important, are kept", async () => {
  expect(await htmlFrom('<callout-info class="aside">\n\na\n\n</callout-info>')).toContain(
    'class="callout callout-info aside"',
  );
  expect(await htmlFrom('<callout-info className="important">\n\na\n\n</callout-info>')).toContain(
    'class="callout callout-info important"',
  );
});

test("a callout on one line is a block with a paragraph", async () => {
  expect(await htmlFrom("<callout-warning>one *line*</callout-warning>")).toContain(
    "<p>one <em>line</em></p></aside>",
  );
});

test("a callout inside a sentence is a span", async () => {
  expect(await htmlFrom('A <callout-danger class="important">word</callout-danger> here')).toBe(
    '<p>A <span class="callout callout-danger important" role="note" aria-label="Danger">word</span> here</p>',
  );
});

test.each([
  ["NOTE", "info", "Note"],
  ["TIP", "success", "Tip"],
  ["IMPORTANT", "info important", "Important"],
  ["WARNING", "warning", "Warning"],
  ["CAUTION", "danger", "Caution"],
])("> [!%s] is a callout with a title", async (name, classes, title) => {
  const html = await htmlFrom(`> [!${name}]\n> Text with [link](/x)\n>\n> More\n`);
  expect(html.replace(/\n/g, "")).toBe(
    `<aside class="callout callout-${classes}" role="note" aria-label="${title}"><p class="callout-title">${title}</p><p>Text with <a href="/x">link</a></p><p>More</p></aside>`,
  );
});

test("a quotation stays a quotation", async () => {
  expect(await htmlFrom("> [!OTHER]\n> a\n")).toContain("<blockquote>");
});

test("an unknown kind is rejected at its line", async () => {
  expect(await problemOf("Text\n\n<callout-hint>a</callout-hint>\n")).toMatch(
    /^3: <callout-hint> is not a callout; there are callout-info/,
  );
});

test("an alert is a callout in a file with Windows line endings", async () => {
  expect(await htmlFrom("> [!NOTE]\r\n> Text\r\n")).toContain(
    '<aside class="callout callout-info" role="note" aria-label="Note">',
  );
});

/** Returns the HTML without line breaks, the warnings without file names, and the plain text. */
async function compileLines(body: string, file = "blog/test.mdx") {
  const post = await compileText(body, { file });
  return {
    html: htmlOf(post).replace(/\n/g, ""),
    warnings: post.warnings.map((warning) => warning.replace(/^[^:]*:/, "")),
    text: post.text,
  };
}

const aside = (kind: string, label: string, title: string, content: string, more = "") =>
  `<aside class="callout callout-${kind}" role="note" aria-label="${label}"${more}><p class="callout-title">${title}</p>${content}</aside>`;

test.each([
  [
    ":::note\na **b**\n\n- c\n:::\nd",
    aside("info", "Note", "Note", "<p>a <strong>b</strong></p><ul><li>c</li></ul>") + "<p>d</p>",
  ],
  [":::tip[A *title*]\na\n:::", aside("success", "Tip", "A <em>title</em>", "<p>a</p>")],
  [
    "b\n::: warning A `title`  \na\n:::",
    "<p>b</p>" + aside("warning", "Warning", "A <code>title</code>", "<p>a</p>"),
  ],
  [
    ":::danger Title\r\na\r\n\r\nb\r\n:::\r\n",
    aside("danger", "Danger", "Title", "<p>a</p><p>b</p>"),
  ],
  [
    ':::caution{title="A } b" .important #i icon=x}\na\n:::',
    aside("danger important", "Caution", "A } b", "<p>a</p>", ' id="i"'),
  ],
  [
    "::: {.callout-important}\na\n:::",
    aside("info important", "Important", "Important", "<p>a</p>"),
  ],
  [
    "::::info\na\n:::tip\nb\n:::\nc\n::::",
    aside(
      "info",
      "Info",
      "Info",
      "<p>a</p>" + aside("success", "Tip", "Tip", "<p>b</p>") + "<p>c</p>",
    ),
  ],
  [
    "- a\n\n  :::note\n  b\n  :::\n",
    `<ul><li><p>a</p>${aside("info", "Note", "Note", "<p>b</p>")}</li></ul>`,
  ],
  [
    "::: details See *more* {open}\na\n:::",
    "<details open><summary>See <em>more</em></summary><p>a</p></details>",
  ],
  [":::details\n:::", "<details><summary>Details</summary></details>"],
])("the container %j is converted, in MDX and in Markdown", async (body, html) => {
  for (const file of ["blog/test.mdx", "blog/test.md"])
    expect(await compileLines(body, file)).toMatchObject({ html, warnings: [] });
});

test("container fences in code, and colons in text, are unchanged", async () => {
  const inCode = await compileLines("```md\n:::note\n:::\n```\n\n:::note\n~~~\n:::\n~~~\nb\n:::");
  expect(inCode.text).toBe(":::note\n:::\n:::\nb");
  const { html } = await compileLines("12:30 a:b ::before `:::note`\n\n::leaf\n\n:::note:a");
  expect(html).toBe("<p>12:30 a:b ::before <code>:::note</code></p><p>::leaf</p><p>:::note:a</p>");
});

test.each([
  ["- > ```\n  > :::\n  > ```", "a fence in a quote in a list"],
  ["> ```\n> :::\n\na", "a fence that ends with its quote"],
  ["```md\n> ```\n:::\n```", "a quoted fence in code"],
  ["`".repeat(40_000) + "x`", "many backticks"],
])("a container goes on after %j", async (body) => {
  const { html, warnings } = await compileLines(`:::note\n${body}\n\nin\n:::\nafter`);
  expect(html).toMatch(/<p>in<\/p><\/aside><p>after<\/p>$/);
  expect(warnings).toEqual([]);
});

test("a title can be only a component or an expression", async () => {
  expect((await compileLines(':::note[{"x"}]\na\n:::')).html).toContain(
    '<p class="callout-title">x</p>',
  );
  expect((await compileLines(":::details[<b>x</b>]\na\n:::")).html).toContain(
    "<summary><b>x</b></summary>",
  );
});

test("definitions and footnotes in a container are found from outside", async () => {
  const { html, text } = await compileLines(
    "[a] and b[^1].\n\n:::note[c [later]]\n[a]: /a\n\n[^1]: foot\n:::\n\n[later]: /later",
  );
  expect(html).toContain('<a href="/a">a</a>');
  expect(html).toContain('<a href="/later">later</a>');
  expect(text).toContain("foot");
});

test("a mistake in a container is a warning, and its content is shown", async () => {
  const { html, warnings } = await compileLines(
    "::: code-group Title\na\n:::\n\n> :::note\n> b\n\nc\n:::\n",
  );
  expect(html).toBe(
    `<div><p>Title</p><p>a</p></div><blockquote>${aside("info", "Note", "Note", "<p>b</p>")}</blockquote><p>c</p>`,
  );
  expect(warnings).toEqual([
    expect.stringMatching(/^1: :::code-group is unknown/),
    expect.stringMatching(/^5: :::note is not closed/),
    expect.stringMatching(/^9: this ::: closes no container/),
  ]);
});

test("a container can contain components and exports, and errors name the right line", async () => {
  const { html } = await compileLines(
    ":::note\n<Steps>\n1. a\n</Steps>\n\nexport const b = 3;\n\n{b}\n:::",
  );
  expect(html).toContain('<div class="steps"><ol><li>a</li></ol></div>');
  expect(html).toMatch(/3<\/aside>$/);
  expect(await problemOf("a\n::: tip B\n\n<callout-hint>c</callout-hint>\n:::")).toMatch(/^4: /);
  expect(await problemOf(":::note\na\n\n<div>\n:::")).toMatch(
    /Expected a closing tag for `<div>` \(4:1/,
  );
});

test("a container does not let a strict post import modules or use other classes", async () => {
  const strict = { trust: "strict" } as const;
  expect(await problemOf(':::note\nimport fs from "fs"\n:::', strict)).toMatch(/^2: imports/);
  expect(await htmlFrom(":::note{.site-header .aside}\na\n:::", strict)).toContain(
    'class="callout callout-info aside"',
  );
});

test("search finds the title of a container, unless it only names the kind", async () => {
  expect((await compileLines(":::note Title\na\n:::\n:::tip\nb\n:::")).text).toBe("Title\na\nb");
});
