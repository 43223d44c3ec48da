// Tests which text of a post becomes its description.

import { expect, test } from "vitest";
import { compileText } from "#tests/support/compile-text.ts";

const firstParagraph = async (body: string) => (await compileText(body)).firstParagraph;

test("the first paragraph is found below everything that is not prose", async () => {
  const body = `import { readFile } from "./demo"
export const year = 2026

<!-- a note

with two blocks -->
# Title

Setext
======

![A door](./door.png)

> A quote

> [!NOTE]
> An alert

<callout-info>A callout</callout-info>

<Callout kind="tip">

A tip

</Callout>

- a list

  with a paragraph

| a | table |
| - | ----- |
| 1 | 2     |

\`\`\`js
const prose = false;

still code
\`\`\`

{/* a comment */}

<TOCInline />

<details>

<summary>More</summary>

Hidden

</details>

[definition]: https://example.com

The **first** [paragraph](https://example.com/a_(b)) of <!-- hidden -->
\`Map<string, number>\` & _more_[^1] &amp; snake_case \\*, {year}{/* hidden */}.

The second.

[^1]: A note.
`;
  const post = await compileText(body, {
    codeFiles: { "blog/demo.ts": "export const readFile = () => 'x';" },
  });
  expect(post.firstParagraph).toBe(
    "The first paragraph of Map<string, number> & more & snake_case *, 2026.",
  );
});

test("a long paragraph ends after a word", async () => {
  const text = await firstParagraph("wörter 😀 ".repeat(100));
  expect(text).toMatch(/ (?:wörter|😀)…$/);
  expect([...text].length).toBeLessThanOrEqual(201);
});

test("a post without prose has no description", async () => {
  expect(await firstParagraph("# Only\n\n![a](https://x.example/b.png)\n\n---\n")).toBe("");
});
