// Lets programs search and read the posts: a read-only server of the Model Context Protocol
// (https://modelcontextprotocol.io).

import { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { findPostBySlug, findPostSource, getIndex } from "./catalog/site-catalog.ts";
import { renderPostMarkdown } from "./post-markdown.ts";
import { isListed, listPosts, type Post } from "./post.ts";
import { indexPosts, searchPosts } from "./search/search-posts.ts";
import { getSiteMetadata, postUrl } from "./site-metadata.ts";

const PAGE_SIZE = 50;
const annotations = { readOnlyHint: true, openWorldHint: false } as const;

const summary = z.object({
  id: z.string().describe("The post's id for `fetch`"),
  title: z.string(),
  url: z.string(),
  date: z.string().describe("YYYY-MM-DD"),
  text: z.string().describe("The description, or the passage that matches"),
});
type Summary = z.infer<typeof summary>;

function summarize(post: Post, text = post.frontMatter.description ?? ""): Summary {
  const { title, date } = post.frontMatter;
  return { id: post.slug, title, url: postUrl(getSiteMetadata(), post), date, text };
}

/** Returns `value` in both forms of a result: as data, and as text for clients that only read that. */
const result = <T extends object>(value: T) => ({
  content: [{ type: "text" as const, text: JSON.stringify(value) }],
  structuredContent: value as T & Record<string, unknown>,
});

/**
 * Returns a server with the tools search, list and fetch. Contains only public posts, without
 * drafts and unlisted posts. `search` and `fetch` have the shape that ChatGPT's connectors expect.
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
      description: `Searches the posts of ${site.name}. Returns at most the ${PAGE_SIZE} best matches.`,
      inputSchema: z.object({ query: z.string().max(500) }),
      outputSchema: z.object({ results: z.array(summary), total: z.number() }),
      annotations,
    },
    async ({ query }) => {
      const index = await getIndex();
      await indexPosts(index);
      const { results, total } = searchPosts(index, { q: query, pageSize: PAGE_SIZE });
      return result({
        results: results.map(({ post, snippet }) =>
          summarize(post, snippet.map(({ text }) => text).join("")),
        ),
        total,
      });
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
      description: "Returns one post as Markdown.",
      inputSchema: z.object({ id: z.string().max(500) }),
      outputSchema: summary,
      annotations,
    },
    async ({ id }) => {
      const post = await findPostBySlug(id);
      const source = post && isListed(post) ? await findPostSource(id) : null;
      if (!post || source === null) {
        const text = `There is no post with the id “${id}”. \`search\` and \`list\` return ids.`;
        return { content: [{ type: "text" as const, text }], isError: true };
      }
      return result(summarize(post, renderPostMarkdown(post, source, getSiteMetadata())));
    },
  );
  return server;
}
