// The page of an episode: the question and its answer, to hear and to read.

import type { Metadata } from "next";
import { connection } from "next/server";
import { answerNotFound, NotFoundPage } from "../../not-found-page.tsx";
import { podcast, podcastTypes } from "../podcast.ts";
import { dayText } from "#components/call/episode-line.tsx";
import { EpisodeView } from "#components/call/episode-view.tsx";
import { FeedIcon, LinkIcon, MailIcon } from "#components/ui/icons.tsx";
import { type Episode, type EpisodeLink, findEpisode } from "#lib/calls/episodes.ts";
import { keywordList } from "#lib/calls/keywords.ts";
import { podcastEpisode } from "#lib/calls/podcast-json-ld.ts";
import { PODCAST_PATH, soundPath } from "#lib/calls/podcast-feed.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { formatDate } from "#lib/posts/format.ts";
import { scriptJson } from "#lib/posts/json-ld.ts";
import { readIdentity } from "#lib/session/session.ts";

interface Props {
  params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { slug } = await params;
  await connection();
  const episode = await snapshotSql((sql) => findEpisode(sql, slug));
  if (!episode) return { title: "Not found", robots: { index: false } };
  const { title, keywords } = episode;
  const path = `/calls/${slug}`;
  const description = `${episode.callerName} asks: ${episode.description.replace(/\s+/g, " ")}`;
  const image = { url: "/podcast/cover.png", width: 1500, height: 1500, alt: "" };
  return {
    title,
    description,
    keywords: keywordList(keywords),
    alternates: { canonical: path, types: podcastTypes() },
    openGraph: {
      type: "article",
      title,
      description,
      url: path,
      publishedTime: new Date(episode.publishedAt).toISOString(),
      images: [image],
    },
    twitter: { card: "summary", title, description, images: [image] },
  };
}

export default async function Page({ params }: Props) {
  const { slug } = await params;
  await connection();
  const episode = await snapshotSql((sql) => findEpisode(sql, slug));
  if (!episode) {
    answerNotFound();
    return <NotFoundPage identity={await readIdentity()} />;
  }
  const { url: site } = podcast();
  const url = `${site}/calls/${slug}`;
  const day = dayText(episode.publishedAt);
  return (
    <article className="wrap" aria-labelledby="episode-title">
      <header className="page-head">
        <h1 id="episode-title">{episode.title}</h1>
        <p className="episode-when figures">
          Episode {episode.number} — <time dateTime={day}>{formatDate(day)}</time>
        </p>
      </header>
      <div className="episode">
        <EpisodeView
          ids="episode"
          content={{ ...episode, ...soundsOf(episode), keywords: keywordList(episode.keywords) }}
        />
        <p className="episode-share">
          <button type="button" className="button needs-script" data-copy={url}>
            <LinkIcon /> Copy link
          </button>
          <a
            className="button"
            href={`mailto:?subject=${encodeURIComponent(episode.title)}&body=${encodeURIComponent(url)}`}
          >
            <MailIcon /> Send by mail
          </a>
          <a className="button" href={PODCAST_PATH} type="application/rss+xml">
            <FeedIcon /> Podcast feed
          </a>
        </p>
        <nav className="episode-nav" aria-label="Other episodes">
          {episode.before && <Neighbour rel="prev" link={episode.before} />}
          <a href="/calls">
            <small>Calls</small>
            <span>All episodes</span>
          </a>
          {episode.after && <Neighbour rel="next" link={episode.after} />}
        </nav>
      </div>
      <script
        type="application/ld+json"
        dangerouslySetInnerHTML={{ __html: scriptJson(podcastEpisode(episode, podcast())) }}
      />
    </article>
  );
}

function soundsOf({ slug, hasCall, callDurationMs, answer, joined }: Episode) {
  return {
    call: hasCall ? { src: soundPath(slug, "call", null), durationMs: callDurationMs } : null,
    answer: { src: soundPath(slug, "answer", answer.contentType), durationMs: answer.durationMs },
    joined: joined && {
      src: soundPath(slug, "episode", joined.contentType),
      durationMs: joined.durationMs,
    },
  };
}

function Neighbour({
  rel,
  link: { number, slug, title },
}: {
  rel: "prev" | "next";
  link: EpisodeLink;
}) {
  return (
    <a href={`/calls/${slug}`} rel={rel}>
      <small>
        {rel === "prev" ? "Before" : "After"}: episode {number}
      </small>
      <span>{title}</span>
    </a>
  );
}
