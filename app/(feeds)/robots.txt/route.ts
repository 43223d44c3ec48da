// robots.txt: asks for no posts, so that crawlers are told where they may go even while there are none.

import { createCacheableBody, conditionalResponse } from "#lib/base/conditional.ts";
import { getSiteMetadata } from "#lib/posts/site-facts.ts";
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
