// Serves robots.txt. Does not load posts, so it works while there are none.

import { createCacheableBody, conditionalResponse } from "#lib/http/conditional-response.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";
import { renderRobotsTxt } from "#lib/posts/sitemap.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Response {
  return conditionalResponse(
    request,
    createCacheableBody(renderRobotsTxt(getSiteMetadata())),
    "text/plain; charset=utf-8",
    3_600,
  );
}
