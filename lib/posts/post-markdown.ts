// A post as plain Markdown, for readers that are programs.

import { formatDate } from "#lib/core/format.ts";
import type { Post } from "./post.ts";
import { postUrl, type SiteMetadata } from "./site-metadata.ts";

/** The title, what the front matter says, and `source` (the post's body as written) without its import statements. */
export function renderPostMarkdown(post: Post, source: string, site: SiteMetadata): string {
  const { title, description, date, categories, keywords } = post.frontMatter;
  const facts = [
    `- URL: ${postUrl(site, post.slug)}`,
    `- Author: ${site.author}`,
    `- Date: ${formatDate(date)}`,
    `- Reading time: ${post.compiled.readingMinutes} min`,
    ...(categories.length > 0 ? [`- Topics: ${categories.join(", ")}`] : []),
    ...(keywords.length > 0 ? [`- Keywords: ${keywords.join(", ")}`] : []),
    ...(post.frontMatter.draft ? ["- Draft: not published yet"] : []),
  ];
  const body = post.path.endsWith(".mdx") ? stripImports(source) : source;
  return (
    [
      `# ${title}`,
      facts.join("\n"),
      ...(description ? [`> ${description}`] : []),
      body.trim(),
    ].join("\n\n") + "\n"
  );
}

const CODE_FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

/**
 * MDX without its import statements. As in MDX a statement begins a block and ends at a blank line,
 * so code fences and prose that speak of imports stay.
 */
export function stripImports(source: string): string {
  const kept: string[] = [];
  let fence: string | null = null;
  let blockStart = true;
  let inEsm = false;
  for (const line of source.split(/\r?\n/)) {
    const blank = line.trim() === "";
    if (fence !== null) {
      const [, signs, rest] = CODE_FENCE.exec(line) ?? [];
      if (signs?.startsWith(fence) && rest?.trim() === "") fence = null;
      kept.push(line);
      blockStart = fence === null;
      continue;
    }
    if (blank) inEsm = false;
    else if (blockStart && /^import[\s{*'"]/.test(line)) inEsm = true;
    if (!inEsm) {
      const [, signs] = CODE_FENCE.exec(line) ?? [];
      if (signs) fence = signs;
      if (!(blank && kept.at(-1) === "")) kept.push(blank ? "" : line);
    }
    blockStart = blank;
  }
  return kept.join("\n");
}
