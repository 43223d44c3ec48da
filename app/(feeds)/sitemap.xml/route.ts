// The sitemap. A handler and not Next's sitemap.ts, which says nothing about caching and is made at build.

import { getIndex } from "../../_site/site.ts";
import { sharedBody, sharedResponse } from "#lib/base/conditional.ts";
import { listEpisodeAddresses } from "#lib/calls/episodes.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { siteFacts } from "#lib/posts/site-facts.ts";
import { sitemap } from "#lib/posts/sitemap.ts";

export const dynamic = "force-dynamic";

const MAX_AGE_SECONDS = 300;

export async function GET(request: Request): Promise<Response> {
  const index = await getIndex();
  const episodes = await snapshotSql((sql) => listEpisodeAddresses(sql));
  const pages = [
    "/calls",
    "/teams",
    "/about",
    "/how-we-count",
    ...episodes.map(({ slug, updatedAt }) => ({
      path: `/calls/${slug}`,
      lastmod: new Date(updatedAt).toISOString().slice(0, 10),
    })),
  ];
  return sharedResponse(
    request,
    sharedBody(sitemap(index, siteFacts(), pages)),
    "application/xml; charset=utf-8",
    MAX_AGE_SECONDS,
  );
}
