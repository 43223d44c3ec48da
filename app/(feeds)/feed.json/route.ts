// The JSON feed.

import { answerWith } from "../answer.ts";
import { jsonFeed } from "#lib/posts/feeds.ts";
import { feedHtml } from "#lib/posts/feed-html.ts";
import { siteFacts } from "#lib/posts/site-facts.ts";

export const dynamic = "force-dynamic";

export const GET = answerWith("application/feed+json; charset=utf-8", (index) =>
  jsonFeed({ index, site: siteFacts(), htmlOf: feedHtml }),
);
