// Renders the podcast feed: RSS 2.0 with Apple's tags (podcasters.apple.com/support/823) and those
// of the podcast namespace (podcasting2.org/docs/podcast-namespace).

import { type XmlChild, createElement, renderXmlDocument } from "#lib/core/xml.ts";
import { escapeHtml, escapeHtmlText } from "#lib/core/escape-html.ts";
import { roundToSeconds } from "#lib/core/format.ts";
import type { Episode, EpisodeAudioKind, AudioFile } from "./episodes.ts";
import { episodeChapters } from "./episode-chapters.ts";
import { PODCAST_PATH, type Podcast } from "./podcast.ts";
import { parseKeywords } from "./keywords.ts";

/** Maximum number of episodes in the feed. */
export const MAX_FEED_EPISODES = 200;

const EXTENSIONS: Readonly<Record<string, string>> = {
  "audio/webm": "webm",
  "audio/mp4": "m4a",
  "audio/ogg": "ogg",
  "audio/mpeg": "mp3",
  "audio/wav": "wav",
  "audio/flac": "flac",
};

/**
 * Returns the path of an episode's audio file with the extension of its type, which podcast apps
 * require.
 */
export function episodeAudioPath(
  slug: string,
  kind: EpisodeAudioKind,
  contentType: string | null,
): string {
  const extension = EXTENSIONS[contentType ?? ""];
  return `/calls/audio/${encodeURIComponent(slug)}/${kind}${extension ? `.${extension}` : ""}`;
}

/** Returns the path of a text file for podcast apps. */
export const episodeTextPath = (
  slug: string,
  file: "transcript.vtt" | "transcript.txt" | "chapters.json",
): string => `/calls/text/${encodeURIComponent(slug)}/${file}`;

/** Returns the path of an episode's art: square, `size` pixels wide, or for link previews. */
export const episodeArtPath = (slug: string, size: 512 | 3_000 | "social"): string =>
  `/calls/art/${encodeURIComponent(slug)}/${size}.png`;

/**
 * Returns an episode's RSS enclosure: the merged audio or, if it is missing, the answer. The
 * description links the question.
 */
export function selectEnclosure(episode: Episode): AudioFile & { path: string } {
  return episode.mergedAudio
    ? {
        ...episode.mergedAudio,
        path: episodeAudioPath(episode.slug, "episode", episode.mergedAudio.contentType),
      }
    : {
        ...episode.answer,
        path: episodeAudioPath(episode.slug, "answer", episode.answer.contentType),
      };
}

/** Returns the show notes as HTML. The caller's words are text in it, whatever they look like. */
function buildShowNotes(episode: Episode, url: string): string {
  const question = `${episode.callerName} asks: ${episode.description}`;
  const paragraphs = question.split(/\s*\n\s*/).map(escapeHtmlText);
  if (!episode.mergedAudio && episode.hasCall)
    paragraphs.push(
      `This recording is the answer. <a href="${escapeHtml(url)}">Listen to the question</a>.`,
    );
  return paragraphs.map((paragraph) => `<p>${paragraph}</p>`).join("");
}

/** Names the host. An episode's people replace those of the podcast, so both name the host. */
const createPerson = ({ author, authorPortrait, authorUrl }: Podcast) =>
  createElement(
    "podcast:person",
    { role: "host", href: authorUrl, ...(authorPortrait && { img: authorPortrait }) },
    author,
  );

function createTranscript({ slug, transcriptKind }: Episode, { url, language }: Podcast) {
  if (transcriptKind === "none") return null;
  return transcriptKind === "timed"
    ? createElement("podcast:transcript", {
        url: url + episodeTextPath(slug, "transcript.vtt"),
        type: "text/vtt",
        language,
        rel: "captions",
      })
    : createElement("podcast:transcript", {
        url: url + episodeTextPath(slug, "transcript.txt"),
        type: "text/plain",
        language,
      });
}

/**
 * Returns the feed as RSS 2.0. Pass `episodes` newest first. An episode's guid is its call's ID,
 * which stays the same if the title changes.
 */
export function renderPodcastFeed(podcast: Podcast, episodes: readonly Episode[]): string {
  const newest = episodes.reduce((last, { updatedAt }) => Math.max(last, updatedAt), 0);
  const items: XmlChild[] = episodes.map((episode) => {
    const url = `${podcast.url}/calls/${encodeURIComponent(episode.slug)}`;
    const { path, contentType, sizeBytes, durationMs } = selectEnclosure(episode);
    return createElement(
      "item",
      null,
      createElement("title", null, episode.title),
      createElement("link", null, url),
      createElement("guid", { isPermaLink: "false" }, episode.callId),
      createElement("pubDate", null, new Date(episode.publishedAt).toUTCString()),
      createElement("description", null, buildShowNotes(episode, url)),
      ...parseKeywords(episode.keywords).map((word) => createElement("category", null, word)),
      createElement("enclosure", {
        url: podcast.url + path,
        length: String(sizeBytes),
        // Apple's name of audio/mp4.
        type: contentType === "audio/mp4" ? "audio/x-m4a" : contentType,
      }),
      createElement("itunes:title", null, episode.title),
      createElement("itunes:image", { href: podcast.url + episodeArtPath(episode.slug, 3_000) }),
      createElement("itunes:episode", null, String(episode.number)),
      createElement("itunes:episodeType", null, "full"),
      createElement("itunes:duration", null, String(roundToSeconds(durationMs))),
      createElement("itunes:explicit", null, "false"),
      createPerson(podcast),
      createElement("podcast:person", { role: "guest", href: url }, episode.callerName),
      createTranscript(episode, podcast),
      episodeChapters(episode).length > 0
        ? createElement("podcast:chapters", {
            url: podcast.url + episodeTextPath(episode.slug, "chapters.json"),
            type: "application/json+chapters",
          })
        : null,
    );
  });
  return renderXmlDocument(
    createElement(
      "rss",
      {
        version: "2.0",
        "xmlns:atom": "http://www.w3.org/2005/Atom",
        "xmlns:itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "xmlns:podcast": "https://podcastindex.org/namespace/1.0",
      },
      createElement(
        "channel",
        null,
        createElement("title", null, podcast.title),
        createElement("link", null, `${podcast.url}/calls`),
        createElement("description", null, podcast.description),
        createElement("language", null, podcast.language),
        newest > 0 ? createElement("lastBuildDate", null, new Date(newest).toUTCString()) : null,
        createElement("ttl", null, "60"),
        createElement("atom:link", {
          rel: "self",
          type: "application/rss+xml",
          href: podcast.url + PODCAST_PATH,
        }),
        createElement(
          "image",
          null,
          createElement("url", null, podcast.artwork),
          createElement("title", null, podcast.title),
          createElement("link", null, `${podcast.url}/calls`),
        ),
        createElement("itunes:image", { href: podcast.artwork }),
        createElement("itunes:author", null, podcast.author),
        createElement("itunes:type", null, "episodic"),
        createElement("itunes:explicit", null, "false"),
        podcast.owner
          ? createElement(
              "itunes:owner",
              null,
              createElement("itunes:name", null, podcast.owner.name),
              createElement("itunes:email", null, podcast.owner.email),
            )
          : null,
        ...podcast.categories.map(({ category, subcategory }) =>
          createElement(
            "itunes:category",
            { text: category },
            subcategory ? createElement("itunes:category", { text: subcategory }) : null,
          ),
        ),
        createElement("podcast:guid", null, podcast.guid),
        createElement("podcast:medium", null, "podcast"),
        createPerson(podcast),
        ...items,
      ),
    ),
  );
}
