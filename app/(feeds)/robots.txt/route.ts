// robots.txt: asks for no posts, so that crawlers are told where they may go even while there are none.

import { sharedBody, sharedResponse } from "#lib/base/conditional.ts";
import { siteFacts } from "#lib/posts/site-facts.ts";
import { robots } from "#lib/posts/sitemap.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Response {
  return sharedResponse(
    request,
    sharedBody(robots(siteFacts())),
    "text/plain; charset=utf-8",
    3_600,
  );
}
