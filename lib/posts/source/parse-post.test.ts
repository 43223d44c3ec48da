import { readFileSync, readdirSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PostError, type PostProblem } from "#lib/posts/post-error.ts";
import { parsePost } from "./parse-post.ts";

const good = `---
title: A door
date: 2026-11-21
description: >-
  Why there is
  one door.
categories: [sqlite, writes]
meta:
  keywords:
    - litefs
    - fly
translations:
  - language: Español
    link: https://example.com/es
    author:
      name: Ana
---

# Hello
`;

function problem(text: string, path = "blog/a-door.mdx"): PostProblem {
  try {
    parsePost(path, text);
  } catch (error) {
    if (error instanceof PostError) return error.problem;
    throw error;
  }
  throw new Error("It was accepted.");
}

const without = (change: (lines: string[]) => void) => {
  const lines = good.split("\n");
  change(lines);
  return lines.join("\n");
};

describe("front matter", () => {
  test("every field is parsed, with folded text as one line, and the line of the body is returned", () => {
    const post = parsePost("blog/a-door/index.mdx", good);
    expect(post).toMatchObject({ slug: "a-door", warnings: [], body: "\n# Hello\n", bodyLine: 18 });
    expect(good.split("\n")[post.bodyLine]).toBe("# Hello");
    expect(post.frontMatter).toEqual({
      title: "A door",
      date: "2026-11-21",
      description: "Why there is one door.",
      categories: ["sqlite", "writes"],
      keywords: ["litefs", "fly"],
      translations: [
        { language: "Español", link: "https://example.com/es", author: { name: "Ana" } },
      ],
      aliases: [],
      draft: false,
      archived: false,
      unlisted: false,
    });
  });

  test("the front matter can set the slug, which is checked like a file name", () => {
    const withSlug = (slug: string) => good.replace("---\n", `---\nslug: ${slug}\n`);
    expect(parsePost("blog/a-door.mdx", withSlug("Café")).slug).toBe("Café");
    expect(parsePost("blog/not%20a slug.mdx", withSlug("a")).slug).toBe("a");
    expect(problem(withSlug("a b"))).toMatchObject({
      field: "slug",
      reason: expect.stringContaining('the slug "a b", which is not allowed'),
    });
  });

  test.each([
    ["title: A door", 'title: "a\\uD800 x"', 2, "title"],
    ["[sqlite, writes]", '[sqlite, "\\uDC00"]', 7, "categories.1"],
    ["    - fly", '    - "\\uD83D"', 11, "meta.keywords.1"],
    ["      name: Ana", '      name: "\\uDE00\\uD83D"', 16, "translations.0.author.name"],
    ["    link: https:", '    "\\uD800": 1\n    link: https:', 13, "translations.0.\uFFFD"],
  ])("an unpaired surrogate instead of %j is rejected at its line", (from, to, line, field) => {
    expect(problem(good.replace(from, to))).toMatchObject({
      line,
      field,
      reason: expect.stringContaining("has an unpaired surrogate"),
    });
    const post = parsePost("x.mdx", good.replace(from, to), { lenient: true });
    expect(post.warnings).toEqual([expect.stringContaining("has an unpaired surrogate")]);
    expect(JSON.stringify(post.frontMatter)).not.toMatch(/\\ud[89a-f]/i);
  });

  test("both halves of a character are one", () => {
    const post = parsePost("x.mdx", good.replace("A door", '"\\uD83D\\uDE00"'), { lenient: true });
    expect(post.frontMatter.title).toBe("😀");
  });

  test("CRLF line ends and a byte order mark are accepted", () => {
    const post = parsePost("blog/a.mdx", `\uFEFF${good.replaceAll("\n", "\r\n")}`);
    expect(post.frontMatter.title).toBe("A door");
    expect(post.bodyLine).toBe(18);
  });

  test.each(["2026-02-30", "yesterday", "20261121", "2026", "true", "[2026-11-21]", "03/05/2024"])(
    "the date %s is rejected at its line",
    (date) => {
      expect(problem(good.replace("2026-11-21", date))).toMatchObject({
        line: 3,
        field: "date",
        reason: expect.stringContaining("calendar day"),
      });
    },
  );

  test("an invalid field is reported with its line and what is allowed", () => {
    expect(problem(good.replace("[sqlite, writes]", "{sqlite: 1}"))).toMatchObject({
      file: "blog/a-door.mdx",
      line: 7,
      column: 1,
      field: "categories",
      reason: expect.stringContaining("a list of strings"),
    });
    expect(problem(good.replace("    - fly", "    - [fly]"))).toMatchObject({
      line: 11,
      column: 7,
      field: "meta.keywords.1",
    });
    expect(problem(good.replace("https://example.com/es", "javascript:alert(1)"))).toMatchObject({
      line: 14,
      field: "translations.0.link",
    });
    expect(problem(good.replace("    link: https://example.com/es\n", ""))).toMatchObject({
      line: 13,
      field: "translations.0.link",
    });
    expect(
      problem(good.replace("# Hello", "").replace("meta:", "draft: maybe\nmeta:")),
    ).toMatchObject({ line: 8, reason: "draft must be true or false." });
    expect(problem(good.replace("meta:", "banner: ../../secret.png\nmeta:"))).toMatchObject({
      line: 8,
      field: "banner",
    });
  });

  test("a translation may be a path of this site, but not an open redirect", () => {
    const { frontMatter } = parsePost(
      "blog/a-door.mdx",
      good.replace("https://example.com/es", "/blog/a-door-es"),
    );
    expect(frontMatter.translations[0]?.link).toBe("/blog/a-door-es");
    for (const link of ["//example.com", "/\\example.com", "blog/a-door-es"]) {
      expect(problem(good.replace("https://example.com/es", link))).toMatchObject({
        line: 14,
        field: "translations.0.link",
      });
    }
  });

  test("a missing field is reported, and further problems are counted", () => {
    expect(problem(without((lines) => lines.splice(1, 2)).replace("# ", ""))).toMatchObject({
      line: 1,
      field: "title",
      reason: expect.stringMatching(/^title is missing\. \(and 1 more: date/),
    });
    expect(problem(good.replace("title: A door", "title:").replace("# ", ""))).toMatchObject({
      line: 2,
      field: "title",
    });
  });

  test("invalid YAML is rejected at its line", () => {
    expect(
      problem(good.replace("categories: [sqlite, writes]", "categories: [sqlite, writes")),
    ).toMatchObject({ line: 8 });
    expect(problem(good.replace("meta:", "title: Again\nmeta:"))).toMatchObject({
      line: 8,
      reason: expect.stringContaining("unique"),
    });
    expect(problem("---\n- a\n- b\n---\n")).toMatchObject({ line: 2 });
  });

  test("a YAML bomb of aliases is rejected", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ...[..."bcdefghij"].map(
        (name, index) =>
          `${name}: &${name} [${Array(9).fill(`*${"abcdefghij"[index]}`).join(",")}]`,
      ),
    ].join("\n");
    expect(problem(`---\n${bomb}\n---\n`).reason).toMatch(/can't be read/);
  });

  test("missing or unclosed front matter is rejected", () => {
    expect(problem("# Hello")).toMatchObject({
      line: 1,
      reason: expect.stringContaining("must start with front matter"),
    });
    expect(problem("---\ntitle: x\n")).toMatchObject({
      line: 1,
      reason: expect.stringContaining("not closed"),
    });
  });

  test("unknown keys pass without a warning", () => {
    const post = parsePost(
      "blog/a.mdx",
      good.replace("meta:", "layout: wide\nauthors: [me]\nmeta:"),
    );
    expect(post.warnings).toEqual([]);
    expect(post.frontMatter).not.toHaveProperty("layout");
  });

  test("names of Object.prototype are not fields", () => {
    const post = parsePost(
      "blog/a.mdx",
      good.replace("meta:", "__proto__: {draft: true}\nconstructor: x\nmeta:"),
    );
    expect(post.frontMatter.draft).toBe(false);
  });

  test.each(["blog/A Door.mdx", "blog/a+b.mdx", "blog/-a.mdx", `blog/${"a".repeat(101)}.mdx`])(
    "the file name %s is not a valid slug",
    (path) => {
      expect(problem(good, path)).toMatchObject({
        line: 1,
        reason: expect.stringContaining("slug"),
      });
    },
  );

  test("a file outside the post folders is rejected", () => {
    expect(problem(good, "pages/a/b/c.mdx").reason).toContain("is not a path for a post");
  });

  test("a page needs no date", () => {
    expect(
      parsePost("pages/about.mdx", "---\ntitle: About\ndescription: Us\n---\nHi").frontMatter.date,
    ).toBe("");
  });
});

describe("posts of another blog", () => {
  test("summary and tags are description and categories; the default title is from the file name", () => {
    const post = parsePost(
      "nested/some-post.md",
      "---\nsummary: Short\ntags: ['next js', 5]\ndate: Nov 21 2022\nauthors: [me]\n---\nHi",
      { lenient: true },
    );
    expect(post.slug).toBe("nested/some-post");
    expect(post.frontMatter).toMatchObject({
      title: "Some post",
      description: "Short",
      categories: ["next js", "5"],
      date: "2022-11-21",
    });
    expect(post.warnings).toEqual(["line 1: title is missing."]);
  });

  test("an invalid field becomes a warning and a default", () => {
    const post = parsePost(
      "x.mdx",
      "---\ntitle: T\ndate: soon\ndescription: D\ndraft: perhaps\n---\n",
      { lenient: true },
    );
    expect(post.frontMatter).toMatchObject({ date: "", draft: false });
    expect(post.warnings).toHaveLength(2);
    expect(post.warnings[0]).toMatch(/^line 3: date must be a calendar day/);
  });

  test("missing front matter is a warning", () => {
    expect(parsePost("x.md", "# Hi", { lenient: true })).toMatchObject({
      slug: "x",
      bodyLine: 1,
      body: "# Hi",
      frontMatter: { title: "X" },
    });
  });

  test("invalid YAML still throws", () => {
    expect(() => parsePost("x.md", "---\na: [\n---\n", { lenient: true })).toThrow(PostError);
  });

  const corpus = join(import.meta.dirname, "../../../tests/fixtures/corpus/timlrx");
  test.skipIf(!existsSync(corpus))("every post of the corpus is parsed and has a date", () => {
    const files = readdirSync(corpus, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".mdx"),
    );
    expect(files.length).toBeGreaterThan(5);
    for (const file of files)
      expect(
        parsePost(file, readFileSync(join(corpus, file), "utf8"), { lenient: true }).frontMatter
          .date,
      ).toMatch(/^\d{4}-\d\d-\d\d$/);
  });
});

test.each([
  ["TOML tables", `+++\na${".a".repeat(15_000)} = 1\n+++\n`],
  ["TOML lists", `+++\na = ${"[".repeat(15_000)}${"]".repeat(15_000)}\n+++\n`],
  ["YAML lists", `---\na: ${"[".repeat(15_000)}${"]".repeat(15_000)}\n---\n`],
  ["YAML aliases", `---\na: &a x\nb: [${"*a, ".repeat(7_000)}]\n---\n`],
])("hostile front matter is a problem with a line: %s", (_, text) => {
  expect(problem(text)).toMatchObject({ line: 2, reason: expect.any(String) as string });
});
