// The listed posts as RSS 2.0, Atom 1.0 and JSON Feed 1.1. The package "feed" writes JSON Feed 1.0,
// authors that RSS forbids and control characters; the three formats are short enough to be written here.

import { momentOf } from "./format.ts";
import { listPosts, type Post, type PostIndex } from "./post.ts";
import { postUrl, type SiteFacts, socialImageUrl } from "./site-facts.ts";
import { allowedInXml, element, type Element, xmlDocument } from "../base/xml.ts";

/** Newest posts in a feed: with full text a feed of all would be megabytes. */
const MAX_ITEMS = 40;

export interface FeedSource<P extends Post> {
  readonly index: PostIndex<P>;
  readonly site: SiteFacts;
  /** The post's text as HTML with absolute addresses; null: only the description goes out. */
  readonly htmlOf: (post: P) => string | null;
}

export const FEED_PATHS = { rss: "/feed.xml", atom: "/atom.xml", json: "/feed.json" } as const;
export type FeedFormat = keyof typeof FEED_PATHS;

function items<P extends Post>({ index, site, htmlOf }: FeedSource<P>) {
  return listPosts(index)
    .slice(0, MAX_ITEMS)
    .map((post) => ({
      url: postUrl(site, post.slug),
      title: post.frontMatter.title,
      description: post.frontMatter.description,
      moment: momentOf(post.frontMatter.date),
      html: htmlOf(post),
      image: socialImageUrl(site, post),
      topics: [...new Set([...post.frontMatter.categories, ...post.frontMatter.keywords])],
    }));
}

/** RSS 2.0. The date of a post is its noon in UTC (see momentOf). */
export function rssFeed<P extends Post>(source: FeedSource<P>): string {
  const { site } = source;
  const all = items(source);
  return xmlDocument(
    element(
      "rss",
      {
        version: "2.0",
        "xmlns:atom": "http://www.w3.org/2005/Atom",
        "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
        "xmlns:dc": "http://purl.org/dc/elements/1.1/",
      },
      element(
        "channel",
        null,
        element("title", null, site.name),
        element("link", null, `${site.url}/blog`),
        element("description", null, site.description),
        element("language", null, site.language),
        all[0] ? element("lastBuildDate", null, all[0].moment.toUTCString()) : null,
        element("ttl", null, "60"),
        element("atom:link", {
          rel: "self",
          type: "application/rss+xml",
          href: site.url + FEED_PATHS.rss,
        }),
        ...all.map(({ url, title, description, moment, html, topics }) =>
          element(
            "item",
            null,
            element("title", null, title),
            element("link", null, url),
            element("guid", { isPermaLink: "true" }, url),
            element("pubDate", null, moment.toUTCString()),
            // RSS's own <author> must be a mail address.
            element("dc:creator", null, site.author),
            ...topics.map((topic) => element("category", null, topic)),
            element("description", null, description),
            html === null ? null : element("content:encoded", null, html),
          ),
        ),
      ),
    ),
  );
}

/** Atom 1.0 (RFC 4287). */
export function atomFeed<P extends Post>(source: FeedSource<P>): string {
  const { site } = source;
  const all = items(source);
  return xmlDocument(
    element(
      "feed",
      { xmlns: "http://www.w3.org/2005/Atom", "xml:lang": site.language },
      element("id", null, `${site.url}/`),
      element("title", null, site.name),
      element("subtitle", null, site.description),
      element("updated", null, (all[0]?.moment ?? new Date(0)).toISOString()),
      element("link", {
        rel: "self",
        type: "application/atom+xml",
        href: site.url + FEED_PATHS.atom,
      }),
      element("link", { rel: "alternate", type: "text/html", href: `${site.url}/blog` }),
      element(
        "author",
        null,
        element("name", null, site.author),
        element("uri", null, `${site.url}/about`),
      ),
      ...all.map(({ url, title, description, moment, html, topics }): Element =>
        element(
          "entry",
          null,
          element("id", null, url),
          element("title", null, title),
          element("link", { rel: "alternate", type: "text/html", href: url }),
          element("published", null, moment.toISOString()),
          element("updated", null, moment.toISOString()),
          ...topics.map((term) => element("category", { term })),
          element("summary", null, description),
          html === null ? null : element("content", { type: "html" }, html),
        ),
      ),
    ),
  );
}

/** JSON Feed 1.1. */
export function jsonFeed<P extends Post>(source: FeedSource<P>): string {
  const { site } = source;
  return JSON.stringify({
    version: "https://jsonfeed.org/version/1.1",
    title: site.name,
    home_page_url: `${site.url}/blog`,
    feed_url: site.url + FEED_PATHS.json,
    description: site.description,
    language: site.language,
    authors: [{ name: site.author, url: `${site.url}/about` }],
    items: items(source).map(({ url, title, description, moment, html, image, topics }) => ({
      id: url,
      url,
      title,
      ...(html === null ? { content_text: description } : { content_html: allowedInXml(html) }),
      summary: description,
      image,
      date_published: moment.toISOString(),
      tags: topics,
    })),
  });
}
