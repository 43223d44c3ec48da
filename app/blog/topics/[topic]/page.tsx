// Renders a topic: its title and text, its posts, newest first, and its feed.

import type { Metadata } from "next";
import { connection } from "next/server";
import { NotFoundPage, setNotFoundStatus } from "#app/not-found-page.tsx";
import { PostList } from "#components/post/post-list.tsx";
import { postListHref } from "#components/post/post-list-href.ts";
import { FeedIcon } from "#components/ui/icons.tsx";
import { pluralize } from "#lib/core/format.ts";
import { readPreviousVisit } from "#lib/members/last-visit.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { readSitePageData } from "#lib/posts/page-data.ts";
import { findTopic, topicFeedPath, topicPath } from "#lib/posts/topics.ts";
import { searchPosts } from "#lib/search/search-posts.ts";
import { toCard } from "#app/blog/to-card.ts";

interface Props {
  params: Promise<{ topic: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  await connection();
  const topic = findTopic(await getIndex(), slugFromParam((await params).topic));
  if (!topic) return { title: "Not found", robots: { index: false } };
  return {
    title: topic.title,
    description: topic.text ?? `Posts about ${topic.name}.`,
    alternates: {
      canonical: topicPath(topic.name),
      types: {
        ...feedAlternates,
        "application/rss+xml": [{ url: topicFeedPath(topic.name), title: `RSS: ${topic.title}` }],
      },
    },
  };
}

export default async function TopicPage({ params, searchParams }: Props) {
  await connection();
  const sessionIds = await readSessionCookies();
  const index = await getIndex();
  const topic = findTopic(index, slugFromParam((await params).topic));
  if (!topic) {
    setNotFoundStatus();
    return <NotFoundPage sessionIds={sessionIds} />;
  }
  const data = await readSitePageData(sessionIds);
  const { results, total, nextPage } = await searchPosts(index, {
    topics: [topic.name],
    page: Number.parseInt(String((await searchParams).page), 10) || 1,
  });
  const previousVisitMs = await readPreviousVisit();
  const path = topicPath(topic.name);
  return (
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
}
