// Describes the site for feeds, sitemap and structured data, and builds absolute URLs.

import { env } from "#lib/core/env.ts";

export interface SiteMetadata {
  /** With scheme and host, without a trailing slash. */
  readonly url: string;
  readonly name: string;
  readonly description: string;
  readonly author: string;
  /** BCP 47. */
  readonly language: string;
}

/** Returns the site's metadata from its configuration. */
export function getSiteMetadata(): SiteMetadata {
  return {
    url: env.SITE_URL,
    name: env.SITE_NAME,
    description: "Notes on a site that serves every reader from a SQLite database next to them.",
    author: env.SITE_AUTHOR,
    language: "en",
  };
}

/** Returns the canonical URL of a post. */
export function postUrl(site: Pick<SiteMetadata, "url">, slug: string): string {
  return `${site.url}/blog/${encodeURIComponent(slug)}`;
}

/** Returns the URL of a post's social image, a 1200 × 630 PNG. It changes with the post's hash. */
export function socialImageUrl(
  site: Pick<SiteMetadata, "url">,
  post: { readonly slug: string; readonly hash: string },
): string {
  return `${postUrl(site, post.slug)}/social.png?v=${encodeURIComponent(post.hash.slice(0, 12))}`;
}

/** Resolves `url` against `base`; null unless the result is an http(s) URL. */
export function absoluteUrl(url: string, base: string): string | null {
  const parsed = URL.parse(url, base);
  return parsed && /^https?:$/.test(parsed.protocol) ? parsed.href : null;
}
