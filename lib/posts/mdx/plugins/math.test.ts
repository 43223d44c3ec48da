import { expect, test } from "vitest";
import { compileText, htmlFrom, problemOf } from "#tests/support/compile-text.ts";

test("formulas become MathML, with their source in the text", async () => {
  const post = await compileText("Let $n \\times k$ be.\n\n$$\nE = mc^2\n$$\n");
  expect(post.compiledSource).toContain(
    '<span class=\\"math math-inline\\"><span class=\\"katex\\"><math',
  );
  expect(post.compiledSource).toContain('<div class=\\"math math-display\\">');
  expect(post.text).toContain("Let n \\times k be.");
});

test("braces inside a formula are not expressions", async () => {
  expect((await compileText("$\\mathbf{Y}$")).compiledSource).toContain("<math");
});

test("without TeX a dollar is money", async () => {
  expect(await htmlFrom("From $5 to $10, or `$HOME`.")).toBe(
    "<p>From $5 to $10, or <code>$HOME</code>.</p>",
  );
});

test("in a post with formulas, money stays money", async () => {
  expect(await htmlFrom("$$\na\n$$\n\nFrom $5 to $10.")).toContain("<p>From $5 to $10.</p>");
});

test("an invalid formula is rejected at its line", async () => {
  expect(await problemOf("a\n\nLet $\\frac{1$ be\n")).toMatch(
    /^3: this formula is not valid TeX: /,
  );
});

test("HTML in a formula is escaped", async () => {
  const html = await htmlFrom("$\\text{<img src=x onerror=alert(1)>}$");
  expect(html).not.toContain("<img");
});
