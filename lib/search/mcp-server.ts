// Lets programs search and read posts, pages and episodes: a read-only server of the Model Context Protocol
// (https://modelcontextprotocol.io).

import { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { formatIsoDate } from "#lib/core/format.ts";
import { readSpokenText } from "#lib/calls/searchable-episodes.ts";
import { read } from "#lib/db/database.ts";
import {
  findPageBySlug,
  findPostBySlug,
  findPostSource,
  getIndex,
} from "#lib/posts/catalog/site-catalog.ts";
import { renderPostMarkdown } from "#lib/posts/post-markdown.ts";
import { isListed, listPosts, type Post } from "#lib/posts/post.ts";
import { getSiteMetadata, postUrl } from "#lib/posts/site-metadata.ts";
import { type SiteSearchResult, loadSearchableSite, searchSite } from "./search-site.ts";
import type { TextSegment } from "./search-query.ts";

const PAGE_SIZE = 50;
const annotations = { readOnlyHint: true, openWorldHint: false } as const;

const summary = z.object({
  id: z.string().describe("The id for `fetch`"),
  title: z.string(),
  url: z.string(),
  date: z.string().optional().describe("YYYY-MM-DD; a page has none"),
  text: z.string().describe("The description, or the passage that matches"),
});
type Summary = z.infer<typeof summary>;

function summarize(post: Post, text = post.frontMatter.description ?? ""): Summary {
  const { title, date } = post.frontMatter;
  return { id: post.slug, title, url: postUrl(getSiteMetadata(), post), date, text };
}

/** A post's id is its slug, as `list` returns it. */
const idOf = ({ kind, slug }: Pick<SiteSearchResult, "kind" | "slug">) =>
  kind === "post" ? slug : `${kind}/${slug}`;
const plainText = (segments: readonly TextSegment[]) => segments.map(({ text }) => text).join("");

function summarizeResult(result: SiteSearchResult): Summary {
  return {
    id: idOf(result),
    title: plainText(result.title),
    url: getSiteMetadata().url + result.path,
    ...(result.date !== null && { date: result.date }),
    text: plainText(result.snippet),
  };
}

/** Returns the post, page or episode with this id and its whole text, or null. */
async function fetchDocument(id: string): Promise<Summary | null> {
  const site = getSiteMetadata();
  const post = await findPostBySlug(id);
  const source = post && isListed(post) ? await findPostSource(id) : null;
  if (post && source !== null) return summarize(post, renderPostMarkdown(post, source, site));
  const [kind, slug = ""] = id.split("/");
  if (kind === "page") {
    const page = await findPageBySlug(slug);
    if (!page || !isListed(page)) return null;
    const { title } = page.frontMatter;
    return { id, title, url: `${site.url}/${encodeURIComponent(slug)}`, text: page.compiled.text };
  }
  if (kind === "episode") {
    const { episodes } = await loadSearchableSite();
    const episode = episodes.find((each) => each.slug === slug);
    if (!episode) return null;
    const spoken = await read((tx) => readSpokenText(tx, slug));
    return {
      id,
      title: episode.title,
      url: `${site.url}/calls/${slug}`,
      date: formatIsoDate(episode.publishedAtMs),
      text: [episode.description, spoken].filter(Boolean).join("\n\n"),
    };
  }
  return null;
}

/** Returns `value` in both forms of a result: as data, and as text for clients that only read that. */
const result = <T extends object>(value: T) => ({
  content: [{ type: "text" as const, text: JSON.stringify(value) }],
  structuredContent: value as T & Record<string, unknown>,
});

/**
 * Returns a server with the tools search, list and fetch. They return only what visitors may see: no
 * drafts, unlisted posts or unpublished calls. `search` and `fetch` have the shape that ChatGPT's
 * connectors expect.
 */
export function createPostServer(): McpServer {
  const site = getSiteMetadata();
  const server = new McpServer(
    { name: site.name, version: "1.0.0", websiteUrl: site.url },
    { instructions: `${site.name}: ${site.description} Posts by ${site.author}.` },
  );

  server.registerTool(
    "search",
    {
      description: `Searches the posts, pages and podcast episodes of ${site.name}. Returns at most the ${PAGE_SIZE} best matches.`,
      inputSchema: z.object({ query: z.string().max(500) }),
      outputSchema: z.object({ results: z.array(summary), total: z.number() }),
      annotations,
    },
    async ({ query }) => {
      const { results, total } = await searchSite(await loadSearchableSite(), {
        q: query,
        pageSize: PAGE_SIZE,
      });
      return result({ results: results.map(summarizeResult), total });
    },
  );

  server.registerTool(
    "list",
    {
      description: `Lists the posts, newest first, ${PAGE_SIZE} per page.`,
      inputSchema: z.object({ page: z.number().int().min(1).default(1) }),
      outputSchema: z.object({ posts: z.array(summary), total: z.number() }),
      annotations,
    },
    async ({ page }) => {
      const posts = listPosts(await getIndex());
      const start = (page - 1) * PAGE_SIZE;
      return result({
        posts: posts.slice(start, start + PAGE_SIZE).map((post) => summarize(post)),
        total: posts.length,
      });
    },
  );

  server.registerTool(
    "fetch",
    {
      description: "Returns one post as Markdown, or the text of a page or an episode.",
      inputSchema: z.object({ id: z.string().max(500) }),
      outputSchema: summary,
      annotations,
    },
    async ({ id }) => {
      const found = await fetchDocument(id);
      if (found) return result(found);
      const text = `Nothing has the id “${id}”. \`search\` and \`list\` return ids.`;
      return { content: [{ type: "text" as const, text }], isError: true };
    },
  );
  return server;
}
