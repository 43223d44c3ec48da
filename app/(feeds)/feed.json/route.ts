// The JSON feed.

import { createFeedHandler } from "../answer.ts";
import { renderJsonFeed } from "#lib/posts/feeds.ts";
import { renderFeedHtml } from "#lib/posts/feed-html.ts";
import { getSiteMetadata } from "#lib/posts/site-facts.ts";

export const dynamic = "force-dynamic";

export const GET = createFeedHandler("application/feed+json; charset=utf-8", (index) =>
  renderJsonFeed({ index, site: getSiteMetadata(), htmlOf: renderFeedHtml }),
);
