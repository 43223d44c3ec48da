// Serves GET /calls/feed.xml: the podcast feed.

import { createCacheableBody, conditionalResponse } from "#lib/http/conditional-response.ts";
import { listEpisodes } from "#lib/calls/episodes.ts";
import { getPodcast } from "#lib/calls/podcast.ts";
import { MAX_FEED_EPISODES, renderPodcastFeed } from "#lib/calls/podcast-feed.ts";
import { read } from "#lib/db/database.ts";

export const dynamic = "force-dynamic";

/** How long podcast apps may cache the feed. */
const MAX_AGE_SECONDS = 300;

export async function GET(request: Request): Promise<Response> {
  const episodes = await read((tx) => listEpisodes(tx, { limit: MAX_FEED_EPISODES }));
  return conditionalResponse(
    request,
    createCacheableBody(renderPodcastFeed(getPodcast(), episodes)),
    "application/rss+xml; charset=utf-8",
    MAX_AGE_SECONDS,
    // Podcast apps on the web read it from their own pages.
    { "access-control-allow-origin": "*" },
  );
}
