// Serves a post as Markdown, at its address with .md (lib/posts/addresses/address-table.ts) and for
// `Accept: text/markdown` (next.config.mjs).

import { findPostBySlug, findPostSource } from "#lib/posts/catalog/site-catalog.ts";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { createCacheableBody, conditionalResponse } from "#lib/http/conditional-response.ts";
import { renderPostMarkdown } from "#lib/posts/post-markdown.ts";
import { isListed } from "#lib/posts/post.ts";
import { postUrl, getSiteMetadata } from "#lib/posts/site-metadata.ts";

export const dynamic = "force-dynamic";

export async function GET(
  request: Request,
  { params }: { params: Promise<{ slug: string } | undefined> },
): Promise<Response> {
  // Next passes no params for the literal path /blog/[slug].md.
  const slug = (await params)?.slug;
  const post = slug ? await findPostBySlug(slugFromParam(slug)) : null;
  const source = post && (await findPostSource(post.slug));
  if (!post || source === null) {
    return new Response("# Not found\n\nPost not found.\n", {
      status: 404,
      headers: {
        "cache-control": "no-store",
        "content-type": "text/markdown; charset=utf-8",
        vary: "Accept",
      },
    });
  }
  const site = getSiteMetadata();
  return conditionalResponse(
    request,
    createCacheableBody(renderPostMarkdown(post, source, site)),
    "text/markdown; charset=utf-8",
    300,
    {
      vary: "Accept",
      link: `<${postUrl(site, post)}>; rel="canonical"`,
      ...(!isListed(post) && { "x-robots-tag": "noindex" }),
    },
  );
}
