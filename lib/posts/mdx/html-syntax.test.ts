import { expect, test } from "vitest";
import { compileText, htmlFrom } from "#tests/support/compile-text.ts";

/** Returns the text of all code elements. */
const codeOf = (html: string) =>
  [...html.matchAll(/<code[^>]*>(.*?)<\/code>/gs)].map(([, code]) =>
    code!
      .replace(/<[^>]+>/g, "")
      .replaceAll("&#x3C;", "<")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">"),
  );

test("a comment in a code span hides neither what follows nor code below it", async () => {
  const html = await htmlFrom(
    "Write ``<!--`` first.\n\n```html\n<br>\n<!-- stays -->\n<img src=x>\n```\n\nThe end `-->` comes last.\n",
  );
  const [span, block, last] = codeOf(html);
  expect(span).toBe("<!--");
  expect(block!.trim()).toBe("<br>\n<!-- stays -->\n<img src=x>");
  expect(last).toBe("-->");
});

test("a code span over two lines may contain a comment", async () => {
  const html = await htmlFrom("Write `a <!-- b\nc --> d` here <!-- gone -->now.\n");
  expect(codeOf(html)).toEqual(["a <!-- b c --> d"]);
  expect(html).toContain("here now.");
});

test("an escaped comment is text", async () => {
  const post = await compileText("Write \\<!-- and --> as text, `<br>` too.\n");
  expect(post.text).toBe("Write <!-- and --> as text, <br> too.");
});

test("a comment in an attribute, an expression or a statement is not one", async () => {
  expect(await htmlFrom('An <abbr title="<!--">open</abbr> one <!-- gone -->\n')).toContain(
    '<abbr title="<!--">open</abbr> one',
  );
  expect(await htmlFrom('Shown: {"<!-- a -->"} and {`<br>`}\n')).toContain("&#x3C;!-- a -->");
  const post = await compileText('export const mark = "<!-- a --><br>";\n\nShown: {mark}\n');
  expect(post.text).toBe("Shown: <!-- a --><br>");
});

test.each([
  ["between paragraphs", "a\n\n<!-- x -->\n\nb", "<p>a</p>\n<p>b</p>"],
  ["over empty lines", "a\n\n<!--\nx\n\n## y\n\n-->\n\nb", "<p>a</p>\n<p>b</p>"],
  ["in a paragraph", "a <!-- x\ny --> b", "<p>a\nb</p>"],
  ["with hyphens", "a <!-- x - y -- z ---> b", "<p>a  b</p>"],
  ["two on a line", "<!-- x --> <!-- y -->\n\na", "<p>a</p>"],
  ["in a list", "- a\n\n  <!-- x\n\n  y -->\n\n  b", "<ul><li><p>a</p><p>b</p></li></ul>"],
  ["in a quote", "> a <!-- x\n> y --> b", "<blockquote><p>a\nb</p></blockquote>"],
  ["in a table", "| a <!-- x --> |\n| - |\n| 1 |", ">a"],
  ["in a heading", "## a <!-- x -->", ">a"],
  ["after a tag", "<div><!-- x --><b>a</b><!-- y --></div>", "<div><b>a</b></div>"],
  ["between tags", "<div>\n  <!-- x -->\n  a\n  <!-- y -->\n</div>", "<div><p>a</p></div>"],
  ["before text", "<!-- x --> a", "<p> a</p>"],
])("a comment %s is left out", async (_, source, expected) => {
  const html = await htmlFrom(`${source}\n`);
  expect(html.replace(/\n(?=<)|(?<=>)\n/g, "")).toContain(
    expected.replace(/\n(?=<)|(?<=>)\n/g, ""),
  );
  expect(html).not.toMatch(/<!--|\b[xyz]\b/);
});

test.each(["a <!-- b", "<!-- b\n\nc", "<!-- b"])(
  "%j does not end and is an error",
  async (source) => {
    await expect(compileText(source)).rejects.toMatchObject({ problem: { line: 1 } });
  },
);

test("void tags need no slash, may have one, and may have a closing tag", async () => {
  const html = await htmlFrom(
    'a<br>b<BR/>c<hr>\n\n<img src="/x.png" alt="1 > 0">\n\n<video controls>\n<source src="https://v.example/a.webm"></source>\n<track src="https://v.example/a.vtt">\n</video>\n',
  );
  expect(html).toContain("a<br>b<br>c<hr>");
  expect(html).toContain('alt="1 > 0"');
  expect(html).toMatch(
    /<source src="https:\/\/v\.example\/a\.webm"[^>]*>\s*<track [^>]*>\s*<\/video>/,
  );
});

test.each([
  ["<div>\n\na\n", /closing tag for `<div>`/],
  ["a</b>\n", /closing slash/],
  ["<i>a</b>\n", /closing tag `<\/b>`/],
])("%j is still an error", async (source, reason) => {
  await expect(compileText(source)).rejects.toMatchObject({
    problem: { line: 1, reason: expect.stringMatching(reason) },
  });
});
