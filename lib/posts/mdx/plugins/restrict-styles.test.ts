// Tries to draw over the page from a strict post.

import { expect, test } from "vitest";
import { compileText, htmlFrom, htmlOf } from "#tests/support/compile-text.ts";

const STRICT = { trust: "strict" } as const;

test.each([
  "position:fixed;inset:0",
  "POSITION : Fixed",
  "position:absolute;top:0",
  "position:sticky",
  "color:red;position:fixed",
  "color:red/*;*/;position:fixed",
  "/**/position:fixed",
  "p\\6fsition:fixed",
  "\\70osition:fixed",
  "color:red}body{display:none",
  "color:red;}body{position:fixed}",
  "transform:scale(99)",
  "translate:-50vw",
  "scale:99",
  "rotate:45deg",
  "z-index:9",
  "margin-top:-500px",
  "margin:0 -100vw",
  "margin-top:calc(0px - 500px)",
  "margin-top:var(--x)",
  "--bleed:99rem",
  "box-shadow:0 0 0 9999px #fff",
  "outline:9999px solid #fff",
  "filter:drop-shadow(0 0 9px red)",
  "background:url(https://tracker.example/a.png)",
  "background:URL(//tracker.example)",
  "background:image-set('//tracker.example' 1x)",
  "background:u\\72l(//tracker.example)",
  "list-style:url(//tracker.example)",
  "border-image:url(//tracker.example)",
  "content:'x'",
  "animation:spin 1s",
  "all:unset",
  "inset:0",
  "contain:none",
  "color:red!important",
  "color:expression(alert(1))",
  "color",
  ":fixed",
])("in a strict post, %j is removed, with a warning", async (style) => {
  for (const body of [
    `<div style="${style}">x</div>`,
    `<svg style="${style}" width="9"><rect style="${style}" /></svg>`,
  ])
    for (const file of ["blog/test.mdx", "blog/test.md"]) {
      const post = await compileText(body, { ...STRICT, file });
      expect(htmlOf(post)).not.toMatch(
        /position|inset|transform|translate|scale|rotate|z-index|-\d|calc|var|--|shadow|outline|filter|url|image-set|content|animation|all|expression|important|fixed|[{}]/i,
      );
      expect(post.warnings.join()).toContain("was removed");
    }
});

test("in a strict post, styles written as an object are limited, too", async () => {
  const html = await htmlFrom(
    `<div style={{ position: "fixed", color: "red", width: "9px;position:fixed", "--x": 1 }}>x</div>`,
    STRICT,
  );
  expect(html).toBe('<div style="color:red;width:9px">x</div>');
});

test("in a strict post, styles that keep an element in its place are kept", async () => {
  const style =
    "color:#c00;background:rgb(0 0 0 / 50%);width:50%;max-width:20.5rem;margin:1em auto;float:right;text-align:center;border:1px solid red";
  expect(await htmlFrom(`<div style="${style}">x</div>`, STRICT)).toBe(
    `<div style="${style}">x</div>`,
  );
});

test("in a strict post, the site's own classes can't be used, in MDX or in HTML", async () => {
  for (const file of ["blog/test.mdx", "blog/test.md"]) {
    const html = await htmlFrom(
      '<div class="card-link skip-link aside button">x</div>\n\n- [x] done\n\n```ts\nlet a\n```\n',
      { ...STRICT, file },
    );
    expect(html).toContain('<div class="aside">');
    expect(html).toContain("task-list-item");
    expect(html).toContain('class="code"');
  }
});

test("a strict post can't set the reader's clipboard or move the end of the article", async () => {
  for (const [file, attributes] of [
    ["blog/test.md", 'data-copy="curl evil" DATA-WRAP data-article-end="" data-leading-team="RED"'],
    [
      "blog/test.mdx",
      'data-copy="curl evil" dataWrap="" data-article-end="" dataLeadingTeam="RED"',
    ],
  ] as const) {
    const body = `<div ${attributes}>x</div>\n\nText[^1]\n\n[^1]: Note.\n\n\`\`\`ts title="a.ts"\nlet a\n\`\`\`\n`;
    const post = await compileText(body, { ...STRICT, file });
    const html = htmlOf(post);
    expect(html).toContain("<div>x</div>");
    expect(html).not.toMatch(/evil|article-?end|leading-?team/i);
    // The compiler's own attributes stay.
    expect(html).toContain('data-copy="code"');
    expect(html).toContain("data-footnote-ref");
    expect(html).toContain("a.ts");
    expect(post.warnings.join()).toContain("was removed");
  }
});

test("a trusted post keeps its styles, classes and data attributes", async () => {
  const html = '<div class="own" style="position:fixed" data-own="1">x</div>';
  expect(await htmlFrom(html)).toBe(html);
});
