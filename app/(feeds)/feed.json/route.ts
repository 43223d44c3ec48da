// Serves the JSON feed.

import { createFeedHandler } from "#app/(feeds)/feed-handler.ts";
import { renderJsonFeed } from "#lib/posts/feeds/feed-formats.ts";
import { renderFeedHtml } from "#lib/posts/feeds/feed-html.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";

export const dynamic = "force-dynamic";

export const GET = createFeedHandler("application/feed+json; charset=utf-8", (index) =>
  renderJsonFeed({ index, site: getSiteMetadata(), renderHtml: renderFeedHtml }),
);
