// What feeds, sitemap and structured data say about the site, and where its things are.

import { env } from "#lib/core/env.ts";

export interface SiteMetadata {
  /** With scheme and host, without a slash at the end. */
  readonly url: string;
  readonly name: string;
  readonly description: string;
  readonly author: string;
  /** BCP 47. */
  readonly language: string;
}

/** This site, as configured. */
export function getSiteMetadata(): SiteMetadata {
  return {
    url: env.SITE_URL,
    name: env.SITE_NAME,
    description: "Notes on a site that answers every reader from a SQLite database beside them.",
    author: env.SITE_AUTHOR,
    language: "en",
  };
}

/** The canonical address of a post. */
export function postUrl(site: Pick<SiteMetadata, "url">, slug: string): string {
  return `${site.url}/blog/${encodeURIComponent(slug)}`;
}

/** The picture of a post for link previews: a PNG of 1200 × 630. The hash makes a changed post a new address. */
export function socialImageUrl(
  site: Pick<SiteMetadata, "url">,
  post: { readonly slug: string; readonly hash: string },
): string {
  return `${postUrl(site, post.slug)}/social.png?v=${encodeURIComponent(post.hash.slice(0, 12))}`;
}

/** `url` as seen from `base`; null for one that is no http(s) address. */
export function absoluteUrl(url: string, base: string): string | null {
  const parsed = URL.parse(url, base);
  return parsed && /^https?:$/.test(parsed.protocol) ? parsed.href : null;
}
