// Describes the podcast as the owner of the site does.

import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { podcastGuid } from "./podcast-guid.ts";

export const PODCAST_PATH = "/calls/feed.xml";

export interface Podcast {
  /** The site's origin, without a trailing slash. */
  readonly url: string;
  readonly title: string;
  readonly description: string;
  readonly author: string;
  /** The author's picture and page, as URLs. */
  readonly authorPortrait?: string | undefined;
  readonly authorUrl: string;
  /** BCP 47. */
  readonly language: string;
  /** Who directories write to. They require it. */
  readonly owner?: { readonly name: string; readonly email: string } | undefined;
  /** Apple's categories, the most important first. */
  readonly categories: readonly PodcastCategory[];
  /** Stays the same if the feed moves. */
  readonly guid: string;
  /** The URL of the square cover. */
  readonly artwork: string;
}

export interface PodcastCategory {
  readonly category: string;
  readonly subcategory?: string | undefined;
}

const DEFAULT_DESCRIPTION =
  "Ask a question in your own voice, up to two minutes. We answer the best ones in an episode.";

/** Returns the podcast of site.config.ts; its default title is such as "Lectern calls". */
export function getPodcast(): Podcast {
  const { author, language, name, podcast } = siteConfig;
  const toUrl = (path: string) => new URL(path, env.SITE_URL).href;
  return {
    url: env.SITE_URL,
    title: podcast.title ?? `${name} calls`,
    description: podcast.description ?? DEFAULT_DESCRIPTION,
    author: author.name,
    authorPortrait: author.portrait && toUrl(author.portrait),
    authorUrl: toUrl("/about"),
    language,
    owner: podcast.owner ?? (author.email ? { name: author.name, email: author.email } : undefined),
    categories: podcast.category,
    guid: podcast.guid ?? podcastGuid(toUrl(PODCAST_PATH)),
    artwork: toUrl(podcast.artwork),
  };
}
