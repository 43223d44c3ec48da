// The podcast of this site, as its feed and its pages name it.

import { feedAlternates } from "#lib/posts/feeds/feed-alternates.ts";
import { PODCAST_PATH, type Podcast, podcastTitle } from "#lib/calls/podcast-feed.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";

export function podcast(): Podcast {
  return getSiteMetadata();
}

/** The site's feeds and the podcast's: for pages below /calls. */
export function podcastAlternateTypes() {
  return {
    ...feedAlternates,
    "application/rss+xml": [
      { url: PODCAST_PATH, title: podcastTitle(podcast()) },
      ...feedAlternates["application/rss+xml"],
    ],
  };
}
