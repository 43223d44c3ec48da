// Code that a post shows under the name of a file of this repository stands in that file.

import { existsSync, globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const FENCE = /^```\w+[^\n]*\bfilename=(\S+)[^\n]*\n([\s\S]*?)^```$/gm;

/** Lines may be broken and indented otherwise than in the file. */
const squeezed = (text: string) => text.replace(/\s+/g, "");

const quotes = globSync("content/{blog,pages}/**/*.mdx").flatMap((post) =>
  [...readFileSync(post, "utf8").matchAll(FENCE)]
    .map(([, file = "", code = ""]) => ({ post, file, code }))
    .filter(({ file }) => existsSync(file)),
);

test("posts quote files of this repository", () => {
  expect(quotes.length).toBeGreaterThan(10);
});

// A line with … says itself that something is left out.
test.each(quotes)("what $post shows of $file is in it", ({ file, code }) => {
  const source = squeezed(readFileSync(file, "utf8"));
  const missing = code
    .split("\n")
    .filter((line) => !line.includes("…") && !source.includes(squeezed(line).replace(/[;,]$/, "")));
  expect(missing).toEqual([]);
});
