// The Atom feed.

import { createFeedHandler } from "../answer.ts";
import { renderAtomFeed } from "#lib/posts/feeds.ts";
import { renderFeedHtml } from "#lib/posts/feed-html.ts";
import { getSiteMetadata } from "#lib/posts/site-facts.ts";

export const dynamic = "force-dynamic";

export const GET = createFeedHandler("application/atom+xml; charset=utf-8", (index) =>
  renderAtomFeed({ index, site: getSiteMetadata(), htmlOf: renderFeedHtml }),
);
