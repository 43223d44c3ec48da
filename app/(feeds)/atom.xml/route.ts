// The Atom feed.

import { answerWith } from "../answer.ts";
import { atomFeed } from "#lib/posts/feeds.ts";
import { feedHtml } from "#lib/posts/feed-html.ts";
import { siteFacts } from "#lib/posts/site-facts.ts";

export const dynamic = "force-dynamic";

export const GET = answerWith("application/atom+xml; charset=utf-8", (index) =>
  atomFeed({ index, site: siteFacts(), htmlOf: feedHtml }),
);
