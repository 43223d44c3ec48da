// Loads the content of a topic's page, which differs between readers: its title and text, its posts,
// newest first, and its feed.

import { toCard } from "#app/blog/to-card.ts";
import { PostList } from "#components/post/post-list.tsx";
import { postListHref } from "#components/post/post-list-href.ts";
import { FeedIcon } from "#components/ui/icons.tsx";
import { pluralize } from "#lib/core/format.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readSitePageData } from "#lib/posts/page-data.ts";
import { findTopic, topicFeedPath, topicPath } from "#lib/posts/topics.ts";
import { searchPosts } from "#lib/search/search-posts.ts";

/**
 * Returns the personal parts of a topic's page; null if there is no such topic. `page` counts from 1.
 * `previousVisitMs`: see readPreviousVisit().
 */
export async function loadTopicParts(
  param: string,
  sessionIds: SessionIds,
  { page = 1, previousVisitMs }: { page?: number; previousVisitMs: number | null },
) {
  const index = await getIndex();
  const topic = findTopic(index, slugFromParam(param));
  if (!topic) return null;
  const data = await readSitePageData(sessionIds);
  const { results, total, nextPage } = await searchPosts(index, { topics: [topic.name], page });
  const path = topicPath(topic.name);
  const content = (
    <div className="wrap">
      <header className="page-head">
        <h1>{topic.title}</h1>
        {topic.text && <p className="lead">{topic.text}</p>}
        <p className="list-links">
          <span className="muted">{pluralize(total, "post")}</span>
          <a href={topicFeedPath(topic.name)} type="application/rss+xml">
            <FeedIcon /> Feed
          </a>
          <a href={postListHref({ q: "", topics: [topic.name] })}>Combine with other topics</a>
        </p>
      </header>
      <PostList
        cards={results.map(({ post }) => toCard(index, post, data, previousVisitMs))}
        first
        more={nextPage === null ? null : `${path}?page=${nextPage}`}
      />
    </div>
  );
  return { isAdmin: data.viewer.member?.role === "ADMIN", parts: { topic: content } };
}
