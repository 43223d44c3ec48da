// Compiles the posts of another blog (tests/fixtures/corpus/timlrx, MIT), unmodified and randomly
// corrupted.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { seededRandom } from "#tests/support/random.ts";
import { createCompiler } from "./compiler.ts";

const corpus = "tests/fixtures/corpus/timlrx";
const compiler = createCompiler({ workers: 2, timeoutMs: 10_000 });
afterAll(() => compiler.close());

const posts = readdirSync(corpus, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".mdx"))
  .sort()
  .map((file) => {
    const source = readFileSync(join(corpus, file), "utf8");
    const front = /^---\n[\s\S]*?\n---\n/.exec(source)![0];
    return {
      file,
      body: source.slice(front.length),
      bodyLine: front.split("\n").length,
      imageHosts: ["*"],
    };
  });

test("every post of the corpus compiles, except one with an unknown component", async () => {
  const results = await Promise.allSettled(posts.map((post) => compiler.compile(post)));
  const problems = results.flatMap((result) =>
    result.status === "rejected" ? [(result.reason as { problem: object }).problem] : [],
  );
  expect(problems).toEqual([
    expect.objectContaining({
      file: "new-features-in-v1.mdx",
      line: 362,
      reason:
        "<BlogNewsletterForm> is not a component of this site (available: Callout, CodeSandbox, Embed, Feature, FileTree, Img, Steps, SubscribeForm, Tab, Tabs, ThemedImage, Tweet, YouTube); import it from a file next to the post, or remove it",
    }),
  ]);
});

const pieces = [
  "{",
  "}",
  "<",
  ">",
  "`",
  "```",
  "$",
  "$$",
  "*",
  "_",
  "[",
  "](",
  "|",
  "\n\n",
  "<div>",
  "</div>",
  "<callout-info>",
  "{/*",
  "*/}",
  "<!--",
  "-->",
  "> ",
  "import x from './y'\n",
  "\\",
  "&",
  "\u0000",
  "\u{1f600}",
  "~~~\n",
  "<br>",
  "[^1]",
];

/** `CORRUPTED_POSTS=1000` tries more. */
const CORRUPTED_POSTS = Number(process.env.CORRUPTED_POSTS ?? 30);

test(
  "randomly corrupted posts compile or fail with a line, and none hangs",
  { timeout: 120_000 },
  async () => {
    const random = seededRandom(20_261_123);
    const corrupted = Array.from({ length: CORRUPTED_POSTS }, (_, index) => {
      const post = posts[index % posts.length]!;
      let body = post.body;
      for (let change = 0; change < 1 + random() * 6; change += 1) {
        const offset = Math.floor(random() * body.length);
        const cut = random() < 0.5 ? Math.floor(random() * 40) : 0;
        body =
          body.slice(0, offset) +
          pieces[Math.floor(random() * pieces.length)]! +
          body.slice(offset + cut);
      }
      return { ...post, body };
    });
    const results = await Promise.allSettled(corrupted.map((post) => compiler.compile(post)));
    const failed = results.flatMap((result, index) =>
      result.status === "rejected"
        ? [
            {
              error: result.reason as { problem?: { line: number; reason: string } },
              post: corrupted[index]!,
            },
          ]
        : [],
    );
    for (const { error, post } of failed) {
      expect(error.problem, String(error)).toBeDefined();
      expect(error.problem!.reason).not.toMatch(/^(the compiler|compiling)/);
      expect(error.problem!.line).toBeGreaterThanOrEqual(post.bodyLine);
      expect(error.problem!.line).toBeLessThanOrEqual(post.bodyLine + post.body.split("\n").length);
    }
    expect(failed.length).toBeGreaterThan(CORRUPTED_POSTS / 10);
    expect(failed.length).toBeLessThan(CORRUPTED_POSTS * 0.9);
    expect(compiler.getStats().ended).toBe(0);
  },
);
