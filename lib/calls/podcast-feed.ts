// The episodes as a podcast: RSS 2.0 with the tags that podcast apps read (podcasters.apple.com/support/823).

import { type Child, element, xmlDocument } from "../base/xml.ts";
import type { Episode, SoundFile } from "./episodes.ts";
import { keywordList } from "./keywords.ts";
import { wholeSeconds } from "./length.ts";

export interface Podcast {
  /** With scheme and host, without a slash at the end. */
  readonly url: string;
  readonly name: string;
  readonly author: string;
  /** BCP 47. */
  readonly language: string;
}

export const PODCAST_PATH = "/calls/feed.xml";
/** Episodes in the feed. */
export const MAX_FEED_EPISODES = 200;

/** What the podcast says about itself, in the feed and on /calls. */
export const PODCAST_ABOUT =
  "Readers ask in their own voice, two minutes at most. Each question gets a spoken answer, and the two become an episode.";

/** "calls" of the site, as podcast apps list it. */
export function podcastTitle({ name }: Pick<Podcast, "name">): string {
  return `${name} calls`;
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  "audio/webm": "webm",
  "audio/mp4": "m4a",
  "audio/ogg": "ogg",
  "audio/mpeg": "mp3",
  "audio/wav": "wav",
  "audio/flac": "flac",
};

/** Where a sound of an episode is, as a path of the site; with the extension that its type has, which podcast apps look at. */
export function soundPath(
  slug: string,
  kind: "call" | "answer" | "episode",
  contentType: string | null,
): string {
  const extension = EXTENSIONS[contentType ?? ""];
  return `/calls/audio/${encodeURIComponent(slug)}/${kind}${extension ? `.${extension}` : ""}`;
}

/**
 * The one file that stands for an episode where only one can: question and answer joined; where ffmpeg was missing the answer,
 * and the question is read in the description (a call always has one in words).
 */
export function mainSound(episode: Episode): SoundFile & { path: string } {
  return episode.joined
    ? { ...episode.joined, path: soundPath(episode.slug, "episode", episode.joined.contentType) }
    : { ...episode.answer, path: soundPath(episode.slug, "answer", episode.answer.contentType) };
}

function shownNotes(episode: Episode, url: string): string {
  const asked = `${episode.callerName} asks: ${episode.description}`;
  const hint =
    episode.joined || !episode.hasCall
      ? ""
      : `\n\nThis recording is the answer. The question can be heard at ${url}`;
  return `${asked}${hint}`;
}

/** RSS 2.0; `episodes` newest first. The guid of an episode is its call's id, so that it stays the same when the title does not. */
export function podcastFeed(podcast: Podcast, episodes: readonly Episode[]): string {
  const newest = episodes.reduce((last, { updatedAt }) => Math.max(last, updatedAt), 0);
  const items: Child[] = episodes.map((episode) => {
    const url = `${podcast.url}/calls/${encodeURIComponent(episode.slug)}`;
    const { path, contentType, bytes, durationMs } = mainSound(episode);
    return element(
      "item",
      null,
      element("title", null, episode.title),
      element("link", null, url),
      element("guid", { isPermaLink: "false" }, episode.callId),
      element("pubDate", null, new Date(episode.publishedAt).toUTCString()),
      element("description", null, shownNotes(episode, url)),
      ...keywordList(episode.keywords).map((word) => element("category", null, word)),
      element("enclosure", { url: podcast.url + path, length: String(bytes), type: contentType }),
      element("itunes:title", null, episode.title),
      element("itunes:episode", null, String(episode.number)),
      element("itunes:episodeType", null, "full"),
      element("itunes:duration", null, String(wholeSeconds(durationMs))),
      element("itunes:explicit", null, "false"),
    );
  });
  return xmlDocument(
    element(
      "rss",
      {
        version: "2.0",
        "xmlns:atom": "http://www.w3.org/2005/Atom",
        "xmlns:itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
      },
      element(
        "channel",
        null,
        element("title", null, podcastTitle(podcast)),
        element("link", null, `${podcast.url}/calls`),
        element("description", null, PODCAST_ABOUT),
        element("language", null, podcast.language),
        newest > 0 ? element("lastBuildDate", null, new Date(newest).toUTCString()) : null,
        element("ttl", null, "60"),
        element("atom:link", {
          rel: "self",
          type: "application/rss+xml",
          href: podcast.url + PODCAST_PATH,
        }),
        element(
          "image",
          null,
          element("url", null, `${podcast.url}/podcast/cover.png`),
          element("title", null, podcastTitle(podcast)),
          element("link", null, `${podcast.url}/calls`),
        ),
        element("itunes:image", { href: `${podcast.url}/podcast/cover.png` }),
        element("itunes:author", null, podcast.author),
        element("itunes:type", null, "episodic"),
        element("itunes:explicit", null, "false"),
        element("itunes:category", { text: "Technology" }),
        ...items,
      ),
    ),
  );
}
