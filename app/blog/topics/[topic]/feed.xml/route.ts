// Serves the RSS feed of a topic.

import { createFeedHandler } from "#app/(feeds)/feed-handler.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { renderRssFeed } from "#lib/posts/feeds/feed-formats.ts";
import { renderFeedHtml } from "#lib/posts/feeds/feed-html.ts";
import type { PostIndex } from "#lib/posts/post.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";
import { findTopic, selectTopic, topicFeedPath, topicPath } from "#lib/posts/topics.ts";

export const dynamic = "force-dynamic";

const findRequested = (index: PostIndex, { topic = "" }: Readonly<Record<string, string>>) =>
  findTopic(index, slugFromParam(topic));

export const GET = createFeedHandler(
  "application/rss+xml; charset=utf-8",
  (index, params) => {
    const topic = findRequested(index, params);
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
  (index, params) => findRequested(index, params)?.name ?? "",
);
