// Describes the site for feeds, sitemap and structured data, and builds absolute URLs.

import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { type Addressable, encodePath, postUrlPath, slugRoute } from "./addresses/post-address.ts";

export interface SiteMetadata {
  /** With scheme and host, without a trailing slash. */
  readonly url: string;
  readonly name: string;
  readonly description: string;
  readonly author: string;
  /** The author's picture and profiles elsewhere, and the license of the posts. */
  readonly portrait?: string | undefined;
  readonly profiles?: readonly string[];
  readonly license?: string | undefined;
  /** BCP 47. */
  readonly language: string;
}

/** Returns the site's metadata from its configuration. */
export function getSiteMetadata(): SiteMetadata {
  return {
    url: env.SITE_URL,
    name: siteConfig.name,
    description: siteConfig.description,
    author: siteConfig.author.name,
    portrait: siteConfig.author.portrait,
    profiles: [...siteConfig.author.links, ...siteConfig.social].map(({ url }) => url),
    license: siteConfig.license?.url,
    language: siteConfig.language,
  };
}

/** Returns the canonical URL of a post. */
export function postUrl(site: Pick<SiteMetadata, "url">, post: Addressable): string {
  return site.url + postUrlPath(post);
}

/** Returns the URL of a post's social image, a 1200 × 630 PNG. It changes with the post's hash. */
export function socialImageUrl(
  site: Pick<SiteMetadata, "url">,
  post: { readonly slug: string; readonly hash: string },
): string {
  return `${site.url}${encodePath(slugRoute(post.slug))}/social.png?v=${encodeURIComponent(post.hash.slice(0, 12))}`;
}

/** Resolves `url` against `base`; null unless the result is an http(s) URL. */
export function absoluteUrl(url: string, base: string): string | null {
  const parsed = URL.parse(url, base);
  return parsed && /^https?:$/.test(parsed.protocol) ? parsed.href : null;
}

/**
 * Fills a link template of site.config.ts: {url}, {slug}, {path} in the repository, {title}. Returns
 * null without a template.
 */
export function fillPostUrl(
  template: string | undefined,
  post: Addressable & {
    readonly path: string;
    readonly frontMatter: { readonly title: string };
  },
): string | null {
  if (!template) return null;
  const path = [env.CONTENT_GIT_PATH, post.path].filter(Boolean).join("/");
  const values: Readonly<Record<string, string>> = {
    url: encodeURIComponent(postUrl({ url: env.SITE_URL }, post)),
    slug: encodeURIComponent(post.slug),
    path: path.split("/").map(encodeURIComponent).join("/"),
    title: encodeURIComponent(post.frontMatter.title),
  };
  return template.replace(/\{(\w+)\}/g, (all, name: string) => values[name] ?? all);
}
