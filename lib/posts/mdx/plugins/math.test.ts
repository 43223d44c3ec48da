import { expect, test } from "vitest";
import { usesMath } from "./math.ts";
import { compileText, htmlFrom, problemOf } from "#tests/support/compile-text.ts";
import { measureCpu } from "#tests/support/measure-cpu.ts";

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

test("a formula after an amount of money, and Markdown between amounts, are not part of it", async () => {
  const post = "It costs $5 and $x^2$ is **one** formula.\n\nFrom $5 **up** to $10.\n\n$$\na\n$$\n";
  const html = await htmlFrom(post);
  expect(html).toContain('<p>It costs $5 and <span class="math math-inline">');
  expect(html).toContain("</span> is <strong>one</strong> formula.</p>");
  expect(html).toContain("<p>From $5 <strong>up</strong> to $10.</p>");
});

test("a space on both sides of a formula is not money", async () => {
  expect(await htmlFrom("$$\na\n$$\n\nLet $ x $ be.")).toContain(
    'Let <span class="math math-inline">',
  );
});

test("a long line of TeX commands or backticks takes no time", async () => {
  for (const text of [
    `$${"\\alpha ".repeat(20_000)}`,
    `$\n${"`".repeat(30_000)}\n${"x\n".repeat(20_000)}`,
  ])
    expect(measureCpu(() => expect(usesMath(text)).toBe(false))).toBeLessThan(1_000_000);
  expect(usesMath("$5,$\\alpha$")).toBe(true);
});

test("in a Markdown file, the text of a formula is its TeX", async () => {
  const body = "## Energy $E=mc^2$\n\nLet $\\pi$ be.\n";
  const [markdown, mdx] = await Promise.all(
    ["md", "mdx"].map((extension) => compileText(body, { file: `blog/test.${extension}` })),
  );
  expect(markdown!.text).toBe("Energy E=mc^2\nLet \\pi be.");
  expect(markdown!.text).toBe(mdx!.text);
  expect(markdown!.headings).toEqual(mdx!.headings);
});

test("a code fence may start a list item", () => {
  const fence = "1. ```sh\n   echo $$\n   ```\n\n";
  expect(usesMath(`${fence}Set $HOME/$USER.\n`)).toBe(false);
  expect(usesMath(`${fence}$$\nE=mc^2\n$$\n\n\`\`\`js\nx\n\`\`\`\n`)).toBe(true);
});

test("a label, to which MathJax can refer, is left out of a formula", async () => {
  const html = await htmlFrom("$$\nx^2 \\label{eq:square}\n$$\n");
  expect(html).toContain("<math");
  expect(html).not.toContain("label");
});
