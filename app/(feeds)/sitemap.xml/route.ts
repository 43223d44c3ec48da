// Serves the sitemap. Not Next's sitemap.ts, which is built once and has no cache headers.

import { formatIsoDate } from "#lib/core/format.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { getIndex, listPages } from "#lib/posts/catalog/site-catalog.ts";
import { createCacheableBody, conditionalResponse } from "#lib/http/conditional-response.ts";
import { listSitemapEpisodes } from "#lib/calls/episodes.ts";
import { encodePath } from "#lib/posts/addresses/post-address.ts";
import { listYears } from "#lib/posts/archive.ts";
import { listTopics, topicPath } from "#lib/posts/topics.ts";
import { isListed } from "#lib/posts/post.ts";
import { formatModification } from "#lib/posts/post-dates.ts";
import { read } from "#lib/db/database.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";
import { renderSitemap } from "#lib/posts/sitemap.ts";

export const dynamic = "force-dynamic";

const MAX_AGE_SECONDS = 300;

export async function GET(request: Request): Promise<Response> {
  const index = await getIndex();
  const textPages = await listPages();
  const { calls, teams } = siteConfig.features;
  const episodes = calls ? await read((tx) => listSitemapEpisodes(tx)) : [];
  const pages = [
    ...[...listTopics(index).values()].map(topicPath),
    ...listYears(index).map(({ year }) => `/blog/archive/${year}`),
    ...(calls ? ["/calls"] : []),
    ...(teams ? ["/teams"] : []),
    ...(textPages.some(({ slug }) => slug === "about") ? [] : ["/about"]),
    ...textPages
      .filter(isListed)
      .map((page) => ({ path: encodePath(`/${page.slug}`), lastmod: formatModification(page) })),
    ...episodes.map(({ slug, updatedAt }) => ({
      path: `/calls/${slug}`,
      lastmod: formatIsoDate(updatedAt.getTime()),
    })),
  ];
  return conditionalResponse(
    request,
    createCacheableBody(renderSitemap(index, getSiteMetadata(), pages)),
    "application/xml; charset=utf-8",
    MAX_AGE_SECONDS,
  );
}
