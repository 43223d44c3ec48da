import { expect, test } from "vitest";
import { htmlFrom, problemOf } from "#tests/support/compile-text.ts";

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
