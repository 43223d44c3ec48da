// Serves the RSS feed of a topic.

import { createFeedHandler } from "#app/(feeds)/feed-handler.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { renderRssFeed } from "#lib/posts/feeds/feed-formats.ts";
import { renderFeedHtml } from "#lib/posts/feeds/feed-html.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";
import { findTopic, selectTopic, topicFeedPath, topicPath } from "#lib/posts/topics.ts";

export const dynamic = "force-dynamic";

export const GET = createFeedHandler(
  "application/rss+xml; charset=utf-8",
  (index, { topic: param }) => {
    const topic = findTopic(index, slugFromParam(param ?? ""));
    return (
      topic &&
      renderRssFeed({
        index: selectTopic(index, topic.name),
        site: getSiteMetadata(),
        renderHtml: renderFeedHtml,
        channel: {
          title: `${topic.title} · ${siteConfig.name}`,
          description: topic.text ?? `Posts about ${topic.name}.`,
          path: topicPath(topic.name),
          feedPath: topicFeedPath(topic.name),
        },
      })
    );
  },
);
