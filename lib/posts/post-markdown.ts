// Renders a post as plain Markdown for programs.

import { formatDate } from "#lib/core/format.ts";
import { openFenceAfter } from "./mdx/open-fence-after.ts";
import type { Post } from "./post.ts";
import { laterUpdateDay } from "./post-dates.ts";
import { postUrl, type SiteMetadata } from "./site-metadata.ts";

/** Returns the title, front matter and `source` (the post's unmodified body) without imports. */
export function renderPostMarkdown(post: Post, source: string, site: SiteMetadata): string {
  const { title, description, date, categories, keywords, series } = post.frontMatter;
  const part = series?.part;
  const updated = laterUpdateDay(post);
  const facts = [
    `- URL: ${postUrl(site, post)}`,
    `- Author: ${site.author}`,
    `- Date: ${formatDate(date)}`,
    ...(updated ? [`- Updated: ${formatDate(updated)}`] : []),
    `- Reading time: ${post.compiled.readingMinutes} min`,
    ...(categories.length > 0 ? [`- Topics: ${categories.join(", ")}`] : []),
    ...(keywords.length > 0 ? [`- Keywords: ${keywords.join(", ")}`] : []),
    ...(series ? [`- Series: ${series.name}${part === undefined ? "" : `, part ${part}`}`] : []),
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

/**
 * Returns MDX without its import statements, which start a block and end at a blank line. Keeps
 * code fences and prose that mention imports.
 */
export function stripImports(source: string): string {
  const output: string[] = [];
  let fence: string | null = null;
  let isBlockStart = true;
  let isInImport = false;
  for (const line of source.split(/\r?\n/)) {
    if (fence !== null) {
      fence = openFenceAfter(line, fence);
      output.push(line);
      isBlockStart = fence === null;
      continue;
    }
    const isBlank = line.trim() === "";
    // An import's blank line goes with it.
    const isRest = isInImport && (!isBlank || output.at(-1) === "");
    if (isBlank) isInImport = false;
    else if (isBlockStart && /^import[\s{*'"]/.test(line)) isInImport = true;
    if (!isInImport && !isRest) {
      fence = openFenceAfter(line, null);
      output.push(line);
    }
    isBlockStart = isBlank;
  }
  return output.join("\n");
}
