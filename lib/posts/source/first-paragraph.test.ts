import { expect, test } from "vitest";
import { findFirstParagraph } from "./first-paragraph.ts";

test("the first paragraph is found below imports, headings, images and code", () => {
  const body = `import { Demo } from "./demo"
export const x = 1

<!-- a note

with two blocks -->
# Title

![A door](./door.png)

> A quote

- a list

| a | table |

Setext
======

\`\`\`js
const prose = false;

still code
\`\`\`

<Demo />

{/* a comment */}

The **first** [paragraph](https://example.com/a_(b)) of
\`Map<string, number>\` & _more_[^1] &amp; snake_case \\*.

The second.
`;
  expect(findFirstParagraph(body)).toBe(
    "The first paragraph of Map<string, number> & more & snake_case *.",
  );
});

test("a long paragraph ends after a word", () => {
  const text = findFirstParagraph("wörter 😀 ".repeat(100));
  expect(text).toMatch(/ (?:wörter|😀)…$/);
  expect([...text].length).toBeLessThanOrEqual(201);
});

test("a post without prose has no description", () => {
  expect(findFirstParagraph("# Only\n\n![a](b.png)\n")).toBe("");
});

test.each([
  "[".repeat(20_000),
  "<".repeat(20_000),
  "**a".repeat(7_000),
  "`".repeat(20_000),
  "_a _".repeat(5_000),
  "![](".repeat(5_000),
  "<a ".repeat(6_000),
  "[](".repeat(6_000),
])("hostile text %# takes no noticeable time", (text) => {
  const started = process.threadCpuUsage();
  findFirstParagraph(`x ${text}`);
  const { user, system } = process.threadCpuUsage(started);
  expect((user + system) / 1_000).toBeLessThan(1_000);
});
