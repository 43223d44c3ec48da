// Renders the sitemap and robots.txt.

import { siteConfig } from "#lib/core/site-config.ts";
import type { SiteConfig } from "#lib/core/site-config-schema.ts";
import { listPosts, listPostsInAllLanguages, type PostIndex } from "./post.ts";
import { formatModification } from "./post-dates.ts";
import { postUrl, type SiteMetadata } from "./site-metadata.ts";
import { createElement, renderXmlDocument } from "#lib/core/xml.ts";

/** Route handlers, and static variants of pages. Not prefixes, which would include /api-design. */
const DISALLOWED_PATHS = ["/api", "/reads", "/static"].flatMap((path) => [`${path}/`, `${path}$`]);

/** A path of the site, with the day (YYYY-MM-DD) or time of its last change, if known. */
export interface SitemapPage {
  readonly path: string;
  readonly lastmod?: string;
}

/**
 * Renders `pages` and every listed post with its last change. The home and list pages
 * have the newest post's date.
 */
export function renderSitemap(
  index: PostIndex,
  site: SiteMetadata,
  pages: readonly (string | SitemapPage)[],
): string {
  const newest = listPosts(index)[0]?.frontMatter.date;
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
      ...listPostsInAllLanguages(index).map((post) =>
        entry(postUrl(site, post), formatModification(post)),
      ),
    ),
  );
}

/** Renders what crawlers may use the site for (https://contentsignals.org). */
function contentSignal(signals: SiteConfig["contentSignals"]): string[] {
  const names = { search: "search", aiInput: "ai-input", aiTraining: "ai-train" } as const;
  const values = Object.entries(signals).map(
    ([field, isAllowed]) => `${names[field as keyof typeof names]}=${isAllowed ? "yes" : "no"}`,
  );
  return values.length > 0 ? [`Content-Signal: ${values.join(", ")}`] : [];
}

/**
 * Renders robots.txt. Doesn't list drafts, since that would reveal them. Their pages are noindex.
 */
export function renderRobotsTxt(site: SiteMetadata): string {
  return [
    "User-agent: *",
    ...contentSignal(siteConfig.contentSignals),
    ...DISALLOWED_PATHS.map((path) => `Disallow: ${path}`),
    "",
    `Sitemap: ${site.url}/sitemap.xml`,
    "",
  ].join("\n");
}
