import { expect, test } from "vitest";
import { renderPostMarkdown, stripImports } from "./post-markdown.ts";
import { samplePost } from "#tests/support/sample-posts.ts";
import type { SiteMetadata } from "./site-metadata.ts";

const site: SiteMetadata = {
  url: "https://lectern.example",
  name: "Lectern",
  description: "Posts",
  author: "Ada",
  language: "en",
};

test("a post is its title, front matter and text", () => {
  const post = samplePost({
    slug: "a",
    title: "About doors",
    date: "2022-11-21",
    updated: "2022-12-02",
    description: "One only.",
    categories: ["SQLite"],
    keywords: ["write", "queue"],
    readingMinutes: 3,
  });
  expect(
    renderPostMarkdown(post, "\nimport { A } from './a.tsx'\n\n## Why\n\nBecause.\n\n", site),
  ).toBe(
    `# About doors

- URL: https://lectern.example/blog/a
- Author: Ada
- Date: November 21st, 2022
- Updated: December 2nd, 2022
- Reading time: 3 min
- Topics: SQLite
- Keywords: write, queue

> One only.

## Why

Because.
`,
  );
});

test("imports are removed, including multi-line ones", () => {
  expect(
    stripImports(
      'import A from "./a.tsx"\nimport {\n  B,\n  C\n} from "./b.tsx"\nimport "./c.css"\n\nText.\n\nimport * as D from "./d"\r\n\nMore.',
    ),
  ).toBe("\nText.\n\nMore.");
});

test("imports in code and in prose stay", () => {
  const text = [
    "````js",
    "import a from 'a'",
    "```",
    "",
    "import b from 'b'",
    "````",
    "",
    "We",
    "import a lot.",
    "",
    "important: this",
    "",
    "~~~ts",
    "",
    "import c",
    "~~~",
  ].join("\n");
  expect(stripImports(text)).toBe(text);
});

test("plain Markdown keeps every line", () => {
  const post = { ...samplePost({ slug: "a" }), path: "blog/a.md" };
  expect(renderPostMarkdown(post, "import taxes rise\n\nText.", site)).toContain(
    "import taxes rise\n\nText.",
  );
});

test("blank lines stay, and code in lists and quotes is code", () => {
  const text = [
    "- ```py",
    "  a",
    "",
    "",
    "  b",
    "  ```",
    "",
    "10. ten",
    "",
    "    ~~~",
    "",
    "",
    "    c",
    "    ~~~",
    "",
    "``` ` ``` is inline code.",
    "",
    "> ```js",
    "> d",
    "> ```",
    "",
    "```js",
    "",
    "import e from 'e'",
    "```",
  ].join("\n");
  expect(stripImports(`${text}\n\nimport F from "f"\n\nText.`)).toBe(`${text}\n\nText.`);
});
