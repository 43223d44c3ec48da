import { expect, test } from "vitest";
import { PostError, type PostProblem } from "#lib/posts/post-error.ts";
import { parsePost } from "./parse-post.ts";

const parse = (lines: string, mapping = {}) =>
  parsePost("blog/a.mdx", `---\ntitle: T\ndate: 2024-03-05\n${lines}\n---\nHi there.\n`, {
    mapping,
  });
const fields = (lines: string, mapping = {}) => parse(lines, mapping).frontMatter;

function problem(text: string): PostProblem {
  try {
    parsePost("blog/a.mdx", text);
  } catch (error) {
    if (error instanceof PostError) return error.problem;
    throw error;
  }
  throw new Error("It was accepted.");
}

test("the owner's names of fields count before those of other engines", () => {
  const lines = "bannerCloudinaryId: hero.png\nimage: other.png\nteaser: Short\nsummary: Long";
  expect(fields(lines, { bannerCloudinaryId: "banner", teaser: "description" })).toMatchObject({
    banner: "./hero.png",
    description: "Short",
  });
  expect(fields(lines)).toMatchObject({ banner: "./other.png", description: "Long" });
});

test("a name that the owner maps to none of our fields is ignored", () => {
  expect(fields("image: a.png", { image: "none" }).banner).toBeUndefined();
});

test.each([
  ["excerpt: Short", { description: "Short" }],
  ["tags: [a, 5]", { categories: ["a", "5"], keywords: [] }],
  ["category: a\ntags: b, c", { categories: ["a"], keywords: ["b", "c"] }],
  ["categories: sqlite", { categories: ["sqlite"] }],
  ["meta:\n  keywords: [a]\ntags: [b]", { keywords: ["a"], categories: ["b"] }],
  ["cover:\n  image: a.png\n  alt: A door", { banner: "./a.png", bannerAlt: "A door" }],
  ["image:\n  path: /a.png\n  alt: A door", { banner: "/a.png", bannerAlt: "A door" }],
  ["images: ['/static/a.png', b.png]", { banner: "/static/a.png" }],
  ["lastmod: 2024-04-01T08:00:00Z", { updated: "2024-04-01", updatedMs: Date.UTC(2024, 3, 1, 8) }],
  ["updated: April 1, 2024", { updated: "2024-04-01" }],
  ["published: false", { draft: true }],
  ["published: 2020-01-01", { draft: false, date: "2024-03-05" }],
  ["published: false\ndraft: false", { draft: false }],
  ['draft: "yes"', { draft: true }],
  ["aliases: /old", { aliases: ["/old"] }],
  ["url: https://old.example/2019/a/\nredirect_from: [/x]", { aliases: ["/x", "/2019/a/"] }],
  ["permalink: /2019/a/", { aliases: ["/2019/a/"] }],
  ["permalink: /:year/:title", { aliases: [] }],
  ["lang: pt_br", { lang: "pt-BR" }],
  ["series: SQLite", { series: { name: "SQLite" } }],
  ["series: SQLite\npart: 2", { series: { name: "SQLite", part: 2 } }],
  ["series:\n  name: SQLite\n  part: '3'", { series: { name: "SQLite", part: 3 } }],
  ["slug: 2024", { slug: "2024" }],
  ["slug: 1e3\ntags: [3.10, 007]", { slug: "1e3", categories: ["3.10", "007"] }],
  ["slug: /notes/my-post/", { slug: "notes/my-post" }],
  ["tags:\n  - a\n  - label: b\n    permalink: /b\n  - name: c", { categories: ["a", "b", "c"] }],
  [
    'slug: ""\ndescription: ""\nsummary: Short\nbannerAlt: " "\nlang: ""\nseries: ""\ndraft: ""\nupdated: ""',
    { slug: "a", description: "Short", draft: false },
  ],
])("%j is understood", (lines, expected) => {
  const { slug, frontMatter, warnings } = parse(lines);
  expect({ slug, ...frontMatter }).toMatchObject(expected);
  expect(warnings).toEqual([]);
});

test("a number is a title", () => {
  const text = "---\ntitle: 1984\ndate: 2024-03-05\n---\nIt was a bright cold day.\n";
  expect(parsePost("blog/a.mdx", text).frontMatter.title).toBe("1984");
});

test.each([
  ["blog/2021-05-10-welcome.md", "", "2021-05-10"],
  ["blog/2021/2021-05-10-welcome/index.mdx", "", "2021-05-10"],
  ["blog/2021/05-10-welcome.mdx", "", "2021-05-10"],
  ["blog/2021/05/10/welcome.md", "", "2021-05-10"],
  ["blog/2021-05-10/index.md", "", "2021-05-10"],
  ["blog/2021-05-10-welcome.md", "datePublished: Sat Jan 01 2022 06:01:45 GMT+0000", "2022-01-01"],
])("the date of %s with the front matter %j is %s", (path, lines, date) => {
  const { frontMatter } = parsePost(path, `---\ntitle: T\n${lines}\n---\nHi.\n`);
  expect(frontMatter.date).toBe(date);
});

test("without a title, the first heading is the title and no longer part of the text", () => {
  const text =
    '---\ndate: 2024-03-05\n---\n\nimport A from "./a"\n\n# The `door` of [A](/a)\n\nHi.\n';
  const post = parsePost("blog/a.mdx", text);
  expect(post.frontMatter.title).toBe("The door of A");
  expect(post.body).toBe('\nimport A from "./a"\n\n\n\nHi.\n');
  expect(problem("---\ndate: 2024-03-05\n---\nHi.\n\n# Later\n").reason).toBe("title is missing.");
});

test("an invalid value under another engine's name is a warning, and its field is left out", () => {
  const post = parse("image: ../../secret.png\nlanguage: '?'");
  expect(post.frontMatter.banner).toBeUndefined();
  expect(post.warnings).toEqual([
    expect.stringMatching(/^line 4: image must be a file next to the post/),
    expect.stringMatching(/^line 5: language must be a language tag/),
  ]);
});

test("TOML has the same fields, with dates as written", () => {
  const text = `+++
title = 1984
date = 2024-03-05T23:30:00-08:00
lastmod = 2024-03-06
tags = ["a"]
draft = false
[cover]
image = "a.png"
+++
Hi.
`;
  const post = parsePost("blog/a.mdx", text);
  expect(post).toMatchObject({ body: "Hi.\n", bodyLine: 10, warnings: [] });
  expect(post.frontMatter).toMatchObject({
    title: "1984",
    date: "2024-03-05",
    dateMs: Date.parse("2024-03-06T07:30:00Z"),
    updated: "2024-03-06",
    categories: ["a"],
    banner: "./a.png",
  });
});

test.each([
  ["---\ntitle: A\ndate: 2024-01-01\ntitle: B\n---\n", 4, 1, /^title is set twice/],
  ["---\ntitle: A\nmeta:\n\tkeywords: [a]\n---\n", 4, 1, /spaces instead of a tab/],
  ["---\ntitle: A: B\ndate: 2024-01-01\n---\n", 2, 8, /quotes around a value/],
  ["---\ntitle: @media queries\ndate: 2024-01-01\n---\n", 2, 8, /quotes around the whole value/],
  ["---\ntitle: [Part 1] A\ndate: 2024-01-01\n---\n", 2, 17, /quotes around the whole value/],
  ['---\ntitle: "A" B\ndate: 2024-01-01\n---\n', 2, 12, /quotes around the whole value/],
  ['---\ntitle: "A\ndate: 2024-01-01\n---\n', 4, undefined, /not valid YAML/],
  ["---\ntitle: A\ndate: soon\n---\n", 3, 1, /^date must be a calendar day/],
  ['+++\ntitle = "A"\ntitle = "B"\n+++\n', 3, 1, /not valid TOML/],
  ['+++\ntitle = "A"\ndate = soon\n+++\n', 3, 8, /not valid TOML/],
  ['+++\ntitle = "A"\ndate = "soon"\n+++\n', 3, undefined, /^date must be a calendar day/],
  ['+++\ntitle = "A"\n', 1, undefined, /only \+\+\+/],
  ["\n\n---\ntitle: A\ndate: x\n---\n", 5, 1, /^date must be/],
])("the mistake in %j is at its line and column", (text, line, column, reason) => {
  expect(problem(text)).toMatchObject({
    line,
    reason: expect.stringMatching(reason),
    ...(column && { column }),
  });
});
