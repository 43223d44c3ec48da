// Renders /calls/subscribe: the podcast's feed for people, with buttons for their apps.

import type { Metadata } from "next";
import { connection } from "next/server";
import { podcastAlternateTypes } from "../podcast-metadata.ts";
import { FeedIcon, LinkIcon } from "#components/ui/icons.tsx";
import { listAppLinks } from "#lib/calls/podcast-apps.ts";
import { PODCAST_PATH, getPodcast } from "#lib/calls/podcast.ts";
import { siteConfig } from "#lib/core/site-config.ts";

export function generateMetadata(): Metadata {
  const { title, description } = getPodcast();
  return {
    title: `Subscribe to ${title}`,
    description,
    alternates: { canonical: "/calls/subscribe", types: podcastAlternateTypes() },
  };
}

export default async function Page() {
  await connection();
  const podcast = getPodcast();
  const feedUrl = podcast.url + PODCAST_PATH;
  const { directories } = siteConfig.podcast;
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Subscribe to {podcast.title}</h1>
        <p className="lead">{podcast.description}</p>
      </header>
      <div className="podcast-subscribe">
        <img src={podcast.artwork} alt="" width="240" height="240" />
        <div className="episode">
          {directories.length > 0 && (
            <section className="episode-part" aria-labelledby="directories">
              <h2 id="directories">Listen on</h2>
              <AppLinks links={directories} />
            </section>
          )}
          <section className="episode-part" aria-labelledby="apps">
            <h2 id="apps">Open in your app</h2>
            <AppLinks links={listAppLinks(feedUrl, directories)} />
          </section>
          <section className="episode-part" aria-labelledby="feed">
            <h2 id="feed">Any other app</h2>
            <p>Copy the feed’s address and add it as a podcast in your app.</p>
            <p className="podcast-feed-url">
              <code>
                {/* Prefers line breaks after a slash. */}
                {feedUrl
                  .split(/(?<=[^/]\/)(?=[^/])/)
                  .flatMap((part, i) => [i > 0 && <wbr key={part} />, part])}
              </code>
            </p>
            <p className="calls-actions">
              <button type="button" className="button needs-script" data-copy={feedUrl}>
                <LinkIcon /> Copy address
              </button>
              <a className="button button-plain" href={PODCAST_PATH} type="application/rss+xml">
                <FeedIcon /> Open the feed
              </a>
            </p>
          </section>
        </div>
      </div>
    </div>
  );
}

function AppLinks({ links }: { links: readonly { label: string; url: string }[] }) {
  return (
    <p className="calls-actions">
      {links.map(({ label, url }) => (
        <a key={url} className="button" href={url}>
          {label}
        </a>
      ))}
    </p>
  );
}
