// Renders a topic with its posts.

import type { Metadata } from "next";
import { connection } from "next/server";
import { renderNotFound } from "#app/not-found-page.tsx";
import { PersonalPart } from "#components/ui/personal-part.tsx";
import { readPreviousVisit } from "#lib/members/last-visit.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { findTopic, topicFeedPath, topicPath } from "#lib/posts/topics.ts";
import { loadTopicParts } from "./topic-parts.tsx";

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
  const loaded = await loadTopicParts((await params).topic, sessionIds, {
    page: Number.parseInt(String((await searchParams).page), 10) || 1,
    previousVisitMs: await readPreviousVisit(),
  });
  if (!loaded) return renderNotFound(sessionIds);
  return <PersonalPart name="topic">{loaded.parts.topic}</PersonalPart>;
}
