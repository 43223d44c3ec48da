// Tests that a post is rejected, at its line, if browsers would parse its HTML into other elements.

import { expect, test } from "vitest";
import { fuzzCount, seededRandom } from "#tests/support/random.ts";
import { compileText, htmlFrom, htmlOf, problemOf } from "#tests/support/compile-text.ts";

const PAYLOAD = "</title><img src=x onerror=alert(1)>";
const codeFiles = { "blog/box.tsx": "export default ({ children }) => <i>{children}</i>;" };
const wrap = (html: string) => `First\n\n${html}\n`;

test.each([
  ["a title", `<title><a title="${PAYLOAD}">x</a></title>`],
  ["a title in a table", `<table><title><a title="${PAYLOAD}">x</a></title></table>`],
  ["a title that leaves SVG", `<svg><p><title><a title="${PAYLOAD}">x</a></title></p></svg>`],
  [
    "a title in SVG's title",
    `<svg><title><title><a title="${PAYLOAD}">x</a></title></title></svg>`,
  ],
  ["a title in desc", `<svg><desc><title><a title="${PAYLOAD}">x</a></title></desc></svg>`],
  ["a title in MathML's text", `<math><mi><title><a title="${PAYLOAD}">x</a></title></mi></math>`],
  [
    "an allowed image",
    `<title><a title="</title><img src='https://x.example/a.png'>">x</a></title>`,
  ],
  ["a script", `<title><a title="</title><script>alert(1)</script>">x</a></title>`],
  ["an unclosed tag", `<title><a title="</title><img src=x onerror=alert(1) x=">x</a></title>`],
  ["a comment", `<title><a title="</title><!-- ">x</a></title>`],
  [
    "an attribute after a harmless one",
    `<b title="a < b">b</b> <title><a title="${PAYLOAD}">x</a></title>`,
  ],
])("%s that starts or ends in an attribute is rejected at its line, in .mdx", async (_, html) => {
  expect(await problemOf(wrap(html))).toMatch(
    /^3: browsers would read a part of an attribute as an element/,
  );
});

test.each([
  ["a title in MathML", `<math><title><title><a title="${PAYLOAD}">x</a></title></title></math>`],
])("%s is rejected, because a component may put it in SVG", async (_, html) => {
  const body = `import B from "./box.tsx"\n\n<B>${html}</B>\n`;
  expect(await problemOf(body, { codeFiles })).toMatch(/^3: browsers would read/);
});

test("in .md, the content of a title is text, and an error names its line", async () => {
  const body = wrap(`<title><a title="${PAYLOAD}">x</a></title>`);
  expect(await problemOf(body, { file: "blog/test.md" })).toMatch(/^3: onError on <img>/);
});

test.each(["textarea", "noscript", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"])(
  "<%s>, whose content browsers read as text, is rejected",
  async (name) => {
    const html = `<${name}><a title="</${name}><img src=x onerror=alert(1)>">x</a></${name}>`;
    expect(await problemOf(wrap(html))).toMatch(/^3: /);
  },
);

test("markup in an attribute is allowed if browsers keep it there", async () => {
  const html = await htmlFrom(`<a href="/" title="a <b> & </title><i>">x</a>\n`);
  expect(html).toContain('title="a <b> &#x26; </title><i>"');
  expect(await htmlFrom(`<svg viewBox="0 0 1 1"><title>a &lt;b></title></svg>\n`)).toContain(
    "<title>a &#x3C;b></title>",
  );
  expect(await htmlFrom("<table><tr><td>a</td></tr></table>\n\n<p><div>b</div></p>\n")).toContain(
    "<td>a</td>",
  );
});

test("random trees are rejected, or contain only checked elements", async () => {
  const random = seededRandom(20261129);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const names =
    "a p b div table tbody tr td svg title desc math mi mtext annotation details summary ul li h2 pre picture".split(
      " ",
    );
  const attacks = ["</title>", "</svg>", "</math>", "</a>", "</p>", "]]>", "-->", "</desc>"];
  const tree = (depth: number): string => {
    const name = pick(names);
    const title = random() < 0.3 ? ` title="${pick(attacks)}<img src=x onerror=alert(1)>"` : "";
    const children = Array.from({ length: depth > 0 ? Math.floor(random() * 3) : 0 }, () =>
      tree(depth - 1),
    );
    return `<${name}${title}>${children.join("") || "x"}</${name}>`;
  };
  const { fromHtml } = await import("hast-util-from-html");
  const count = fuzzCount(250);
  let rejected = 0;
  for (let i = 0; i < count; i++) {
    const body = `${tree(5)}\n`;
    const post = await compileText(body).catch((error: { problem?: { reason: string } }) => {
      expect(error.problem?.reason, body).toContain("browsers would read");
      rejected += 1;
    });
    if (post) expect(JSON.stringify(fromHtml(htmlOf(post)).children), body).not.toContain('"img"');
  }
  expect(rejected).toBeGreaterThan(count / 100);
  expect(rejected).toBeLessThan(count / 2);
});
