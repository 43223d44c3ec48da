// Describes the podcast as the owner of the site does.

import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";

export interface Podcast {
  /** The site's origin, without a trailing slash. */
  readonly url: string;
  readonly title: string;
  readonly description: string;
  readonly author: string;
  /** BCP 47. */
  readonly language: string;
  /** Who directories write to. They require it. */
  readonly owner?: { readonly name: string; readonly email: string } | undefined;
  /** One of Apple's categories, such as "Technology". */
  readonly category: string;
  /** The URL of the square cover. */
  readonly artwork: string;
}

const DEFAULT_DESCRIPTION =
  "Ask a question in your own voice, up to two minutes. We answer the best ones in an episode.";

/** Returns the podcast of site.config.ts; its default title is such as "Lectern calls". */
export function getPodcast(): Podcast {
  const { author, language, name, podcast } = siteConfig;
  return {
    url: env.SITE_URL,
    title: podcast.title ?? `${name} calls`,
    description: podcast.description ?? DEFAULT_DESCRIPTION,
    author: author.name,
    language,
    owner: podcast.owner,
    category: podcast.category,
    artwork: new URL(podcast.artwork, env.SITE_URL).href,
  };
}
