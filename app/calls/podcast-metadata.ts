// Lists the alternate feeds of pages below /calls.

import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { PODCAST_PATH, podcastTitle } from "#lib/calls/podcast-feed.ts";
import { getSiteMetadata } from "#lib/posts/site-metadata.ts";

/** Returns the podcast's feed, then the site's feeds. */
export function podcastAlternateTypes() {
  return {
    ...feedAlternates,
    "application/rss+xml": [
      { url: PODCAST_PATH, title: podcastTitle(getSiteMetadata()) },
      ...feedAlternates["application/rss+xml"],
    ],
  };
}
