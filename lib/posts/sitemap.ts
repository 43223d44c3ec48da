// What search engines are told: which pages there are, and which are none of their business.

import { listPosts, type PostIndex } from "./post.ts";
import { postUrl, type SiteMetadata } from "./site-metadata.ts";
import { createElement, renderXmlDocument } from "#lib/core/xml.ts";

/** Not pages: tools, handlers, and the shared twins of pages that have an address of their own. */
const DISALLOWED_PATHS = ["/api", "/reads", "/static"];

/** A path of the site, with the day (YYYY-MM-DD) or moment of its last change where that is known. */
export interface SitemapPage {
  readonly path: string;
  readonly lastmod?: string;
}

/** The sitemap: `pages` and every listed post, each with the day it is dated; the index pages have the newest post's. */
export function renderSitemap(
  index: PostIndex,
  site: SiteMetadata,
  pages: readonly (string | SitemapPage)[],
): string {
  const posts = listPosts(index);
  const newest = posts[0]?.frontMatter.date;
  const entry = (loc: string, lastmod: string | undefined) =>
    createElement(
      "url",
      null,
      createElement("loc", null, loc),
      lastmod ? createElement("lastmod", null, lastmod) : null,
    );
  return renderXmlDocument(
    createElement(
      "urlset",
      { xmlns: "http://www.sitemaps.org/schemas/sitemap/0.9" },
      entry(`${site.url}/`, newest),
      entry(`${site.url}/blog`, newest),
      ...pages.map((page) =>
        typeof page === "string"
          ? entry(site.url + page, undefined)
          : entry(site.url + page.path, page.lastmod),
      ),
      ...posts.map((post) => entry(postUrl(site, post.slug), post.frontMatter.date)),
    ),
  );
}

/** robots.txt. Drafts are not in it: their pages say noindex, and a list of them here would give them away. */
export function renderRobotsTxt(site: SiteMetadata): string {
  return [
    "User-agent: *",
    ...DISALLOWED_PATHS.map((path) => `Disallow: ${path}`),
    "",
    `Sitemap: ${site.url}/sitemap.xml`,
    "",
  ].join("\n");
}
