// Renders /calls/SLUG: an episode with question, answer and transcript.

import type { Metadata } from "next";
import { connection } from "next/server";
import { renderNotFound } from "../../not-found-page.tsx";
import { podcastAlternateTypes } from "#app/calls/podcast-metadata.ts";
import { EpisodeView } from "#components/call/episode-view.tsx";
import { FeedIcon, LinkIcon, MailIcon } from "#components/ui/icons.tsx";
import { publishedPrograms } from "#lib/calls/episode-programs.ts";
import { type EpisodeLink, findEpisode } from "#lib/calls/episodes.ts";
import { parseKeywords } from "#lib/calls/keywords.ts";
import { env } from "#lib/core/env.ts";
import { getPodcast } from "#lib/calls/podcast.ts";
import { podcastEpisodeJsonLd } from "#lib/calls/podcast-json-ld.ts";
import { episodeArtPath } from "#lib/calls/podcast-feed.ts";
import { read } from "#lib/db/database.ts";
import { formatDate, formatIsoDate } from "#lib/core/format.ts";
import { serializeForScript } from "#lib/posts/json-ld.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

interface Props {
  params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { slug } = await params;
  await connection();
  const episode = await read((tx) => findEpisode(tx, slug));
  if (!episode) return { title: "Not found", robots: { index: false } };
  const { title, keywords } = episode;
  const path = `/calls/${slug}`;
  const description = `${episode.callerName} asks: ${episode.description.replace(/\s+/g, " ")}`;
  const image = { url: episodeArtPath(slug, "social"), width: 1_200, height: 630, alt: "" };
  return {
    title,
    description,
    keywords: parseKeywords(keywords),
    alternates: { canonical: path, types: podcastAlternateTypes() },
    openGraph: {
      type: "article",
      title,
      description,
      url: path,
      publishedTime: new Date(episode.publishedAt).toISOString(),
      images: [image],
    },
    twitter: { card: "summary_large_image", title, description, images: [image] },
  };
}

export default async function Page({ params }: Props) {
  const { slug } = await params;
  await connection();
  const episode = await read((tx) => findEpisode(tx, slug));
  if (!episode) return renderNotFound(await readSessionCookies());
  const site = env.SITE_URL;
  const url = `${site}/calls/${slug}`;
  const day = formatIsoDate(episode.publishedAt);
  return (
    <article className="wrap" aria-labelledby="episode-title">
      <header className="page-head episode-head">
        <img src={episodeArtPath(slug, 512)} width={512} height={512} alt="" fetchPriority="high" />
        <h1 id="episode-title">{episode.title}</h1>
        <p className="episode-when figures">
          Episode {episode.number} — <time dateTime={day}>{formatDate(day)}</time>
        </p>
      </header>
      <div className="episode">
        <EpisodeView
          idPrefix="episode"
          content={{
            ...episode,
            programs: publishedPrograms(episode),
            keywords: parseKeywords(episode.keywords),
          }}
        />
        <p className="episode-share">
          <button type="button" className="button needs-script" data-copy={url}>
            <LinkIcon /> Copy link
          </button>
          <a
            className="button"
            href={`mailto:?subject=${encodeURIComponent(episode.title)}&body=${encodeURIComponent(url)}`}
          >
            <MailIcon /> Email
          </a>
          <a className="button" href="/calls/subscribe">
            <FeedIcon /> Subscribe
          </a>
        </p>
        <nav className="episode-nav" aria-label="Other episodes">
          {episode.previous && <EpisodeNavLink rel="prev" link={episode.previous} />}
          <a href="/calls">
            <small>Calls</small>
            <span>All episodes</span>
          </a>
          {episode.next && <EpisodeNavLink rel="next" link={episode.next} />}
        </nav>
      </div>
      <script
        type="application/ld+json"
        dangerouslySetInnerHTML={{
          __html: serializeForScript(podcastEpisodeJsonLd(episode, getPodcast())),
        }}
      />
    </article>
  );
}

function EpisodeNavLink({
  rel,
  link: { number, slug, title },
}: {
  rel: "prev" | "next";
  link: EpisodeLink;
}) {
  return (
    <a href={`/calls/${slug}`} rel={rel}>
      <small>
        {rel === "prev" ? "Previous" : "Next"} episode: {number}
      </small>
      <span>{title}</span>
    </a>
  );
}
