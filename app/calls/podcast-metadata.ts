// Lists the alternate feeds of pages below /calls.

import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { PODCAST_PATH, getPodcast } from "#lib/calls/podcast.ts";

/** Returns the podcast's feed, then the site's feeds. */
export function podcastAlternateTypes() {
  return {
    ...feedAlternates,
    "application/rss+xml": [
      { url: PODCAST_PATH, title: getPodcast().title },
      ...feedAlternates["application/rss+xml"],
    ],
  };
}
