// Serves the social image of a post, drafts included.

import { findHeroSha, socialImageCache } from "./social-image.tsx";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { findPostBySlug } from "#lib/posts/catalog/site-catalog.ts";
import { DEFAULT_ACCENT } from "#lib/core/color.ts";
import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { formatDate, formatReadingTime } from "#lib/core/format.ts";
import { conditionalResponse, createCacheableBody } from "#lib/http/conditional-response.ts";
import { toImageText, socialImageTitle } from "#lib/posts/social-image-text.ts";

/** The URL contains the post's hash (socialImageUrl), so the image seldom changes. */
const MAX_AGE_SECONDS = 86_400;

export async function GET(
  request: Request,
  { params }: { params: Promise<{ slug: string }> },
): Promise<Response> {
  const post = await findPostBySlug(slugFromParam((await params).slug));
  if (!post)
    return new Response("Post not found.\n", {
      status: 404,
      headers: { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" },
    });
  const site = toImageText(siteConfig.name);
  const png = await socialImageCache.get({
    title: socialImageTitle(post.frontMatter.title, siteConfig.name),
    when: `${formatDate(post.frontMatter.date)} — ${formatReadingTime(post.compiled.readingMinutes)}`,
    site,
    host: toImageText(new URL(env.SITE_URL).host),
    draft: post.frontMatter.draft,
    accent: (siteConfig.accent ?? DEFAULT_ACCENT).light,
    logo: siteConfig.logo,
    heroSha: findHeroSha(post.hero),
  });
  return conditionalResponse(
    request,
    createCacheableBody(Buffer.from(png, "base64")),
    "image/png",
    MAX_AGE_SECONDS,
  );
}
