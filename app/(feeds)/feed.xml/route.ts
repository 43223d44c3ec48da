// The RSS feed.

import { answerWith } from "../answer.ts";
import { rssFeed } from "#lib/posts/feeds.ts";
import { feedHtml } from "#lib/posts/feed-html.ts";
import { siteFacts } from "#lib/posts/site-facts.ts";

export const dynamic = "force-dynamic";

export const GET = answerWith("application/rss+xml; charset=utf-8", (index) =>
  rssFeed({ index, site: siteFacts(), htmlOf: feedHtml }),
);
