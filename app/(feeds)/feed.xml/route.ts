// The RSS feed.

import { createFeedHandler } from "../answer.ts";
import { renderRssFeed } from "#lib/posts/feeds.ts";
import { renderFeedHtml } from "#lib/posts/feed-html.ts";
import { getSiteMetadata } from "#lib/posts/site-facts.ts";

export const dynamic = "force-dynamic";

export const GET = createFeedHandler("application/rss+xml; charset=utf-8", (index) =>
  renderRssFeed({ index, site: getSiteMetadata(), htmlOf: renderFeedHtml }),
);
