// Serves the Atom feed.

import { createFeedHandler } from "#app/(feeds)/feed-handler.ts";
import { renderAtomFeed } from "#lib/posts/feeds/feed-formats.ts";
import { renderFeedHtml } from "#lib/posts/feeds/feed-html.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";

export const dynamic = "force-dynamic";

export const GET = createFeedHandler("application/atom+xml; charset=utf-8", (index) =>
  renderAtomFeed({ index, site: getSiteMetadata(), renderHtml: renderFeedHtml }),
);
