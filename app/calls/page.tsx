// Renders /calls: the episodes, newest first, and how calls work.

import type { Metadata } from "next";
import { connection } from "next/server";
import { cache } from "react";
import { podcastAlternateTypes } from "./podcast-metadata.ts";
import { EpisodeListItem } from "#components/call/episode-list-item.tsx";
import { ArrowIcon, FeedIcon } from "#components/ui/icons.tsx";
import { publishedPrograms } from "#lib/calls/episode-programs.ts";
import { countEpisodes, listEpisodes } from "#lib/calls/episodes.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { getPodcast } from "#lib/calls/podcast.ts";
import { selectEnclosure } from "#lib/calls/podcast-feed.ts";
import { read } from "#lib/db/database.ts";

const PER_PAGE = 30;

interface Props {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

/**
 * Returns a page of episodes, its number and the number of pages: the last page if `value` is too
 * high, the first if it is invalid. Cached, because the metadata needs it, too.
 */
const loadEpisodes = cache((value: string | string[] | undefined) =>
  read(async (tx) => {
    const pages = Math.max(1, Math.ceil((await countEpisodes(tx)) / PER_PAGE));
    const isValid = typeof value === "string" && /^[1-9]\d{0,5}$/.test(value);
    const page = isValid ? Math.min(Number(value), pages) : 1;
    const episodes = await listEpisodes(tx, { limit: PER_PAGE, skip: (page - 1) * PER_PAGE });
    return { episodes, page, pages };
  }),
);

export async function generateMetadata({ searchParams }: Props): Promise<Metadata> {
  const value = (await searchParams).page;
  await connection();
  const { page } = await loadEpisodes(value);
  return {
    title: page > 1 ? `Calls, page ${page}` : "Calls",
    description: getPodcast().description,
    alternates: {
      canonical: page > 1 ? `/calls?page=${page}` : "/calls",
      types: podcastAlternateTypes(),
    },
  };
}

export default async function Page({ searchParams }: Props) {
  await connection();
  const { episodes, page, pages } = await loadEpisodes((await searchParams).page);
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Calls</h1>
        <p className="lead">{getPodcast().description}</p>
        <p className="calls-actions">
          <a className="button button-main" href="/calls/record">
            Leave a call
          </a>
          <a className="button button-plain" href="/calls/mine">
            Your calls
          </a>
          <a className="button" href="/calls/subscribe">
            <FeedIcon /> Subscribe to the podcast
          </a>
          {siteConfig.podcast.directories.map(({ label, url }) => (
            <a key={url} className="button" href={url}>
              {label}
            </a>
          ))}
        </p>
      </header>
      <section className="episode-list" aria-labelledby="episodes">
        <h2 id="episodes" className={episodes.length > 0 ? "visually-hidden" : undefined}>
          {episodes.length > 0 ? "Episodes" : "No episodes yet."}
        </h2>
        {episodes.length === 0 ? (
          <p>
            Yours could be the first: <a href="/calls/record">leave a call</a>.
          </p>
        ) : (
          <ol className="lines">
            {episodes.map((episode) => (
              <EpisodeListItem
                key={episode.callId}
                episode={{
                  ...episode,
                  program: publishedPrograms(episode).whole,
                  durationMs: episode.mergedAudio
                    ? episode.mergedAudio.durationMs
                    : selectEnclosure(episode).durationMs + (episode.callDurationMs ?? 0),
                }}
              />
            ))}
          </ol>
        )}
        {pages > 1 && (
          <nav className="pager" aria-label="Pages">
            {page > 1 && (
              <a
                className="more"
                rel="prev"
                href={page === 2 ? "/calls" : `/calls?page=${page - 1}`}
              >
                Newer episodes
              </a>
            )}
            {page < pages && (
              <a className="more" rel="next" href={`/calls?page=${page + 1}`}>
                Older episodes <ArrowIcon />
              </a>
            )}
          </nav>
        )}
      </section>
      <section className="calls-how" aria-labelledby="how">
        <h2 id="how">How a call becomes an episode</h2>
        <ol>
          <li>
            <strong>Ask</strong>
            <p>
              Record up to two minutes in your browser, or type it. You’ll need an account so we can
              reply.
            </p>
          </li>
          <li>
            <strong>We answer</strong>
            <p>We listen to every call and email you either way.</p>
          </li>
          <li>
            <strong>Everyone listens</strong>
            <p>
              Here and in podcast apps, with your first name. Delete your call and the episode is
              removed, too.
            </p>
          </li>
        </ol>
      </section>
    </div>
  );
}
