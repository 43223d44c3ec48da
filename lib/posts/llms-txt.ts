// Renders llms.txt, which tells language models what the site contains (https://llmstxt.org).

import { FEED_PATHS } from "./feeds/feed-paths.ts";
import { listPosts, type Post, type PostIndex } from "./post.ts";
import { postUrl, type SiteMetadata } from "./site-metadata.ts";

/** Returns text without line breaks, and with escaped brackets, which would end a Markdown link. */
const linkText = (text: string) => text.replace(/\s+/g, " ").replace(/[[\]\\]/g, "\\$&");

/** Renders the site's name and description, every listed post as Markdown, and the feeds. */
export function renderLlmsTxt(index: PostIndex, site: SiteMetadata): string {
  const line = (name: string, url: string, note: string) =>
    `- [${linkText(name)}](${url})${note ? `: ${note.replace(/\s+/g, " ")}` : ""}`;
  const post = (entry: Post) =>
    line(
      entry.frontMatter.title,
      `${postUrl(site, entry)}.md`,
      [entry.frontMatter.date, entry.frontMatter.description].filter(Boolean).join(", "),
    );
  return `${[
    `# ${site.name}`,
    `> ${site.description}`,
    `By ${site.author}. Programs can search and read the posts, pages and episodes with the Model Context Protocol at ${site.url}/mcp.`,
    "## Posts",
    listPosts(index).map(post).join("\n"),
    "## Optional",
    [
      line("RSS", site.url + FEED_PATHS.rss, "the newest posts with their text"),
      line("JSON Feed", site.url + FEED_PATHS.json, "the same, as JSON"),
      line("Sitemap", `${site.url}/sitemap.xml`, "all pages"),
    ].join("\n"),
  ]
    .filter(Boolean)
    .join("\n\n")}\n`;
}
