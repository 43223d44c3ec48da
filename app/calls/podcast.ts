// The podcast of this site, as its feed and its pages name it.

import { feedTypes } from "../feed-types.ts";
import { PODCAST_PATH, type Podcast, podcastTitle } from "#lib/calls/podcast-feed.ts";
import { siteFacts } from "#lib/posts/site-facts.ts";

export function podcast(): Podcast {
  return siteFacts();
}

/** The site's feeds and the podcast's: for pages below /calls. */
export function podcastTypes() {
  return {
    ...feedTypes,
    "application/rss+xml": [
      { url: PODCAST_PATH, title: podcastTitle(podcast()) },
      ...feedTypes["application/rss+xml"],
    ],
  };
}
