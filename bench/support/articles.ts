// Writes posts from another author's articles (tests/fixtures/corpus, MIT license): about 400,
// 1,100 and 5,000 words, the last with 48 code fences; and many posts for the compile benchmark.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CORPUS_DIR = "tests/fixtures/corpus/timlrx";

const readBody = (name: string) =>
  readFileSync(join(CORPUS_DIR, `${name}.mdx`), "utf8")
    .replace(/^---\n[\s\S]*?\n---\n/, "")
    // The corpus doesn't have images and the author's own components.
    .replace(/^.*<(Image|BlogNewsletterForm|TOCInline)\b[\s\S]*?\/>.*$/gm, "")
    .replace(/^.*!\[[^\]]*\]\([^)]*\).*$/gm, "")
    .replace(/^import .*$/gm, "");

const countFences = (text: string) => Math.floor((text.match(/^ *```/gm)?.length ?? 0) / 2);
const countWords = (text: string) =>
  text
    .replace(/```[\s\S]*?```/g, "")
    .split(/\s+/)
    .filter(Boolean).length;

/** Returns the first paragraphs up to `limit` words, not counting code. */
function takeWords(text: string, limit: number): string {
  const paragraphs: string[] = [];
  let fence = false;
  for (const part of text.split(/\n{2,}/)) {
    if (!fence && countWords(paragraphs.join("\n\n")) >= limit) break;
    paragraphs.push(part);
    if ((part.match(/^ *```/gm)?.length ?? 0) % 2) fence = !fence;
  }
  return paragraphs.join("\n\n");
}

export interface Article {
  readonly slug: string;
  readonly words: number;
  readonly fences: number;
}

function writeArticle(dir: string, slug: string, date: string, text: string): Article {
  writeFileSync(
    join(dir, "blog", `${slug}.mdx`),
    `---\ntitle: ${slug}\ndate: ${date}\ndescription: An article of the benchmarks.\ncategories: [bench]\nmeta:\n  keywords: [bench]\n---\n\n${text}\n`,
  );
  return { slug, words: countWords(text), fences: countFences(text) };
}

/** Recreates `dir`/blog with the three articles. */
export function writeArticles(dir: string): Article[] {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(join(dir, "blog"), { recursive: true });
  const prose = readBody("the-time-machine");
  let long = [
    readBody("new-features-in-v1"),
    readBody("github-markdown-guide"),
    readBody("deriving-ols-estimator"),
    readBody("code-sample"),
    readBody("guide-to-using-images-in-nextjs"),
  ].join("\n\n");
  const sample = /```[\s\S]*?```/.exec(readBody("code-sample"))?.[0] as string;
  while (countFences(long) < 48) long += `\n\n${takeWords(prose, 40)}\n\n${sample}`;
  long += `\n\n${takeWords(prose, 5_000 - countWords(long))}`;
  return [
    writeArticle(
      dir,
      "short",
      "2026-01-01",
      takeWords(readBody("introducing-tailwind-nextjs-starter-blog"), 400),
    ),
    writeArticle(
      dir,
      "medium",
      "2026-01-02",
      takeWords(readBody("introducing-tailwind-nextjs-starter-blog"), 1_100),
    ),
    writeArticle(dir, "long", "2026-01-03", long),
  ];
}

/** Recreates `dir`/blog with `count` different posts from the corpus. */
export function writeManyPosts(
  dir: string,
  count: number,
  dateOf: (index: number) => string = () => "2026-01-01",
): void {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(join(dir, "blog"), { recursive: true });
  const names = [
    "code-sample",
    "deriving-ols-estimator",
    "github-markdown-guide",
    "guide-to-using-images-in-nextjs",
    "introducing-tailwind-nextjs-starter-blog",
    "new-features-in-v1",
    "release-of-tailwind-nextjs-starter-blog-v2.0",
    "the-time-machine",
  ];
  for (let i = 0; i < count; i++)
    writeArticle(
      dir,
      `post-${i}`,
      dateOf(i),
      `${readBody(names[i % names.length] as string)}\n\nThe ${i}th change.\n`,
    );
}
