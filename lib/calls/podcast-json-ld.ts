// Builds the structured data of an episode (schema.org PodcastEpisode).

import type { Episode } from "./episodes.ts";
import { parseKeywords } from "./keywords.ts";
import { PODCAST_PATH, type Podcast } from "./podcast.ts";
import { selectEnclosure } from "./podcast-feed.ts";
import { transcriptText } from "./transcript.ts";
import { roundToSeconds } from "#lib/core/format.ts";

/** Returns JSON-LD; an empty `transcript` is omitted. */
export function podcastEpisodeJsonLd(
  episode: Episode & { readonly transcript: string },
  podcast: Podcast,
): Record<string, unknown> {
  const url = `${podcast.url}/calls/${encodeURIComponent(episode.slug)}`;
  const { path, contentType, durationMs } = selectEnclosure(episode);
  const keywords = parseKeywords(episode.keywords);
  return {
    "@context": "https://schema.org",
    "@type": "PodcastEpisode",
    "@id": url,
    url,
    name: episode.title,
    description: episode.description,
    episodeNumber: episode.number,
    datePublished: new Date(episode.publishedAt).toISOString(),
    dateModified: new Date(episode.updatedAt).toISOString(),
    inLanguage: podcast.language,
    duration: isoDuration(durationMs),
    ...(keywords.length > 0 && { keywords: keywords.join(", ") }),
    associatedMedia: {
      "@type": "AudioObject",
      contentUrl: podcast.url + path,
      encodingFormat: contentType,
      duration: isoDuration(durationMs),
      ...(episode.transcriptKind !== "none" && { transcript: transcriptText(episode.transcript) }),
    },
    partOfSeries: {
      "@type": "PodcastSeries",
      name: podcast.title,
      url: `${podcast.url}/calls`,
      webFeed: podcast.url + PODCAST_PATH,
    },
    author: { "@type": "Person", name: podcast.author },
  };
}

/** Formats an ISO 8601 duration of at least one second: 75 s → "PT75S". */
function isoDuration(ms: number): string {
  return `PT${roundToSeconds(ms)}S`;
}
