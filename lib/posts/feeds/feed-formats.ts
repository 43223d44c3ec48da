// Renders the listed posts as RSS 2.0, Atom 1.0 and JSON Feed 1.1.
// The package "feed" writes JSON Feed 1.0, authors that RSS forbids, and control characters.

import { escapeHtmlText } from "#lib/core/escape-html.ts";
import { listPosts, type Post, type PostIndex } from "#lib/posts/post.ts";
import { modificationMs, publicationMs } from "#lib/posts/post-dates.ts";
import {
  absoluteUrl,
  postUrl,
  type SiteMetadata,
  socialImageUrl,
} from "#lib/posts/site-metadata.ts";
import { FEED_PATHS } from "./feed-paths.ts";
import {
  stripInvalidXmlCharacters,
  createElement,
  type XmlElement,
  renderXmlDocument,
} from "#lib/core/xml.ts";

/** Maximum number of posts in a feed. With the full text of all posts, it would take megabytes. */
const MAX_ITEMS = 40;

export interface FeedSource {
  readonly index: PostIndex;
  readonly site: SiteMetadata;
  /** Returns the post's HTML with absolute URLs, or null for a feed with only the description. */
  readonly renderHtml: (post: Post) => string | null;
  /** Replaces the site's own title and paths, for the feed of a topic. */
  readonly channel?: FeedChannel;
}

export interface FeedChannel {
  readonly title: string;
  readonly description: string;
  /** Path of the page with the same posts. */
  readonly path: string;
  readonly feedPath: string;
}

function listFeedItems({ index, site, renderHtml }: FeedSource) {
  return listPosts(index)
    .slice(0, MAX_ITEMS)
    .map((post) => ({
      url: postUrl(site, post),
      title: post.frontMatter.title,
      description: post.frontMatter.description,
      published: new Date(publicationMs(post)),
      modified: new Date(modificationMs(post)),
      lang: post.frontMatter.lang,
      html: renderHtml(post),
      image: feedImageUrl(site, post),
      topics: [...new Set([...post.frontMatter.categories, ...post.frontMatter.keywords])],
    }));
}

/** The post's own image or, without one, its social image. */
function feedImageUrl(site: SiteMetadata, post: Post): string {
  return (post.hero && absoluteUrl(post.hero.src, site.url)) ?? socialImageUrl(site, post);
}

/** Returns the last change of any of `items`. */
function newestModification(items: readonly { modified: Date }[]): Date {
  return new Date(items.reduce((newest, { modified }) => Math.max(newest, +modified), 0));
}

const MEDIA_NAMESPACE = { "xmlns:media": "http://search.yahoo.com/mrss/" };

function createMediaElement(image: string): XmlElement {
  return createElement("media:content", { url: image, medium: "image" });
}

/** Renders RSS 2.0. An item's description is HTML, so its text is escaped twice. */
export function renderRssFeed(source: FeedSource): string {
  const { site } = source;
  const channel: FeedChannel = source.channel ?? {
    title: site.name,
    description: site.description,
    path: "/blog",
    feedPath: FEED_PATHS.rss,
  };
  const all = listFeedItems(source);
  return renderXmlDocument(
    createElement(
      "rss",
      {
        version: "2.0",
        "xmlns:atom": "http://www.w3.org/2005/Atom",
        "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
        "xmlns:dc": "http://purl.org/dc/elements/1.1/",
        ...MEDIA_NAMESPACE,
      },
      createElement(
        "channel",
        null,
        createElement("title", null, channel.title),
        createElement("link", null, site.url + channel.path),
        createElement("description", null, channel.description),
        createElement("language", null, site.language),
        all.length > 0
          ? createElement("lastBuildDate", null, newestModification(all).toUTCString())
          : null,
        createElement("ttl", null, "60"),
        createElement("atom:link", {
          rel: "self",
          type: "application/rss+xml",
          href: site.url + channel.feedPath,
        }),
        ...all.map(({ url, title, description, published, lang, html, image, topics }) =>
          createElement(
            "item",
            null,
            createElement("title", null, title),
            createElement("link", null, url),
            createElement("guid", { isPermaLink: "true" }, url),
            createElement("pubDate", null, published.toUTCString()),
            // Not RSS's <author>, which must be an email address.
            createElement("dc:creator", null, site.author),
            lang === undefined ? null : createElement("dc:language", null, lang),
            ...topics.map((topic) => createElement("category", null, topic)),
            createElement("description", null, escapeHtmlText(description)),
            createMediaElement(image),
            html === null ? null : createElement("content:encoded", null, html),
          ),
        ),
      ),
    ),
  );
}

/** Renders Atom 1.0 (RFC 4287). */
export function renderAtomFeed(source: FeedSource): string {
  const { site } = source;
  const all = listFeedItems(source);
  return renderXmlDocument(
    createElement(
      "feed",
      { xmlns: "http://www.w3.org/2005/Atom", "xml:lang": site.language, ...MEDIA_NAMESPACE },
      createElement("id", null, `${site.url}/`),
      createElement("title", null, site.name),
      createElement("subtitle", null, site.description),
      createElement("updated", null, newestModification(all).toISOString()),
      createElement("link", {
        rel: "self",
        type: "application/atom+xml",
        href: site.url + FEED_PATHS.atom,
      }),
      createElement("link", { rel: "alternate", type: "text/html", href: `${site.url}/blog` }),
      createElement(
        "author",
        null,
        createElement("name", null, site.author),
        createElement("uri", null, `${site.url}/about`),
      ),
      ...all.map(
        ({ url, title, description, published, modified, lang, html, image, topics }): XmlElement =>
          createElement(
            "entry",
            lang === undefined ? null : { "xml:lang": lang },
            createElement("id", null, url),
            createElement("title", null, title),
            createElement("link", { rel: "alternate", type: "text/html", href: url }),
            createElement("published", null, published.toISOString()),
            createElement("updated", null, modified.toISOString()),
            ...topics.map((term) => createElement("category", { term })),
            createElement("summary", null, description),
            createMediaElement(image),
            html === null ? null : createElement("content", { type: "html" }, html),
          ),
      ),
    ),
  );
}

/** Renders JSON Feed 1.1. */
export function renderJsonFeed(source: FeedSource): string {
  const { site } = source;
  return JSON.stringify({
    version: "https://jsonfeed.org/version/1.1",
    title: site.name,
    home_page_url: `${site.url}/blog`,
    feed_url: site.url + FEED_PATHS.json,
    description: site.description,
    language: site.language,
    authors: [{ name: site.author, url: `${site.url}/about` }],
    items: listFeedItems(source).map(
      ({ url, title, description, published, modified, lang, html, image, topics }) => ({
        id: url,
        url,
        title,
        ...(html === null
          ? { content_text: description }
          : { content_html: stripInvalidXmlCharacters(html) }),
        summary: description,
        image,
        date_published: published.toISOString(),
        date_modified: modified.toISOString(),
        ...(lang !== undefined && { language: lang }),
        tags: topics,
      }),
    ),
  });
}
