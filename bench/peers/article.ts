// Takes the article from the site's page, so that every peer shows the same HTML.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsx, toJs } from "estree-util-to-js";
import { fromHtml } from "hast-util-from-html";
import { toEstree } from "hast-util-to-estree";
import { PEERS_DIR } from "./folders.ts";

interface ArticleSummary {
  readonly slug: string;
  readonly words: number;
}

/** Matches what components/post/post-page.tsx puts around a post's text. */
const ARTICLE = /<div class="prose[^>]*>([^]*)<\/div><div class="post-end"/;
const WORDS_PER_MINUTE = 265;

/**
 * Writes the modules that the peers import: the article's HTML, what they list, and the page itself.
 * Returns the article's HTML.
 */
export async function writeArticleModules(
  pageUrl: string,
  posts: readonly ArticleSummary[],
): Promise<string> {
  const page = await (await fetch(pageUrl)).text();
  const html = ARTICLE.exec(page)?.[1];
  if (html === undefined) throw new Error(`${pageUrl} has no article.`);
  const dir = join(PEERS_DIR, "shared");
  mkdirSync(dir, { recursive: true });
  const summaries = posts.map(({ slug, words }) => ({
    slug,
    title: slug,
    date: "2026-01-01",
    description: "An article of the benchmarks.",
    minutes: Math.ceil(words / WORDS_PER_MINUTE),
  }));
  writeFileSync(join(dir, "article.js"), `export const html = ${JSON.stringify(html)};\n`);
  writeFileSync(join(dir, "article.jsx"), toComponent(html));
  writeFileSync(join(dir, "posts.js"), `export const posts = ${JSON.stringify(summaries)};\n`);
  writeFileSync(join(dir, "lectern.html"), page);
  return html;
}

/** Returns a module with the article as React elements, which is what MDX is compiled to. */
function toComponent(html: string): string {
  const program = toEstree(fromHtml(html, { fragment: true }));
  const { value } = toJs(program, { handlers: jsx });
  return `export const Article = () => ${value.trim()}\n`;
}
