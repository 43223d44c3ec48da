/* oxlint-disable typescript/no-explicit-any -- parsed documents have no type; a missing value fails its assertion */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { fromHtml } from "hast-util-from-html";
import { expect, test } from "vitest";
import { renderAtomFeed, renderJsonFeed, renderRssFeed } from "./feed-formats.ts";
import type { Post, PostIndex } from "#lib/posts/post.ts";
import { sampleIndex, samplePost } from "#tests/support/sample-posts.ts";
import type { SiteMetadata } from "#lib/posts/site-metadata.ts";
import { createBlogPosting } from "#lib/posts/json-ld.ts";
import { renderRobotsTxt, renderSitemap } from "#lib/posts/sitemap.ts";

const site: SiteMetadata = {
  url: "https://lectern.example",
  name: "Lectern & friends",
  description: "Posts <about> things",
  author: "Ada O’Neil",
  language: "en",
};
const NASTY = `Tom & "Jerry" <script>alert('1')</script> ]]> 𝔘🎉 é`;
const BROKEN = `\u0000\u0008\u001B\uFFFE\uD800`;
const index = sampleIndex(
  {
    slug: "newest",
    date: "2026-11-21",
    title: NASTY + BROKEN,
    description: NASTY,
    categories: ["SQLite & co", "Next"],
    keywords: ["Next", "x<y"],
  },
  { slug: "middle", date: "2026-02-28", title: "Middle" },
  { slug: "oldest", date: "2022-01-01", title: "Oldest", archived: true },
  { slug: "draft", date: "2026-11-22", draft: true },
  { slug: "unlisted", date: "2026-11-22", unlisted: true },
);
const renderHtml = (post: Post) =>
  post.slug === "oldest" ? null : `<p title="a &amp; b">Text of ${post.slug} ]]>\u0007</p>`;
const source = { index, site, renderHtml };
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (name) => ["item", "entry", "category", "url"].includes(name),
});

/** Parses an XML document after checking that it is well-formed. */
function parse(xml: string): any {
  expect(XMLValidator.validate(xml)).toBe(true);

  expect(xml).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/);
  expect(xml.isWellFormed()).toBe(true);
  expect(xml.startsWith('<?xml version="1.0" encoding="utf-8"?>\n')).toBe(true);
  return parser.parse(xml);
}

const RFC_822 =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const isHttps = (url: string) => expect(new URL(url).href).toBe(url);

test("the RSS feed conforms to RSS 2.0", () => {
  const { rss } = parse(renderRssFeed(source));
  expect(rss["@version"]).toBe("2.0");
  const { channel } = rss;
  expect(channel).toMatchObject({
    title: site.name,
    description: site.description,
    link: "https://lectern.example/blog",
    language: "en",
  });
  expect(channel["atom:link"]).toEqual({
    "@rel": "self",
    "@type": "application/rss+xml",
    "@href": "https://lectern.example/feed.xml",
  });
  expect(channel.lastBuildDate).toMatch(RFC_822);
  expect(channel.item.map((item: any) => item.link)).toEqual(
    ["newest", "middle", "oldest"].map((slug) => `https://lectern.example/blog/${slug}`),
  );
  for (const item of channel.item) {
    isHttps(item.link);
    expect(item.guid).toEqual({ "#text": item.link, "@isPermaLink": "true" });
    expect(item.pubDate).toMatch(RFC_822);
    expect(new Date(item.pubDate).toUTCString()).toBe(item.pubDate);
    expect(item["dc:creator"]).toBe(site.author);
    expect(item).not.toHaveProperty("author");
  }
  expect(channel.item[0].pubDate).toBe("Sat, 21 Nov 2026 00:00:35 GMT");
  expect(channel.item[0].title).toBe(`${NASTY}\uFFFD`);
  expect(channel.item[0].category).toEqual(["SQLite & co", "Next", "x<y"]);
  expect(channel.item[0]["content:encoded"]).toBe('<p title="a &amp; b">Text of newest ]]></p>');
  expect(channel.item[2]).not.toHaveProperty("content:encoded");
});

test("the Atom feed conforms to RFC 4287", () => {
  const { feed } = parse(renderAtomFeed(source));
  expect(feed["@xmlns"]).toBe("http://www.w3.org/2005/Atom");
  expect(feed.id).toBe("https://lectern.example/");
  expect(feed.author.name).toBe(site.author);
  expect(feed.link).toContainEqual({
    "@rel": "self",
    "@type": "application/atom+xml",
    "@href": "https://lectern.example/atom.xml",
  });
  expect(feed.updated).toBe("2026-11-21T00:00:35.000Z");
  expect(feed.entry).toHaveLength(3);
  for (const entry of feed.entry) {
    isHttps(entry.id);
    expect(entry.link["@href"]).toBe(entry.id);
    for (const date of [entry.updated, entry.published]) {
      expect(date).toMatch(RFC_3339);
      expect(new Date(date).toISOString()).toBe(date);
    }
    expect(entry.title).toBeTruthy();
    expect(typeof entry.summary).toBe("string");
  }
  expect(new Set(feed.entry.map(({ id }: any) => id)).size).toBe(3);
  expect(feed.entry[0].content).toEqual({
    "@type": "html",
    "#text": '<p title="a &amp; b">Text of newest ]]></p>',
  });
});

test("the JSON feed conforms to JSON Feed 1.1", () => {
  const feed = JSON.parse(renderJsonFeed(source));
  expect(feed).toMatchObject({
    version: "https://jsonfeed.org/version/1.1",
    title: site.name,
    home_page_url: "https://lectern.example/blog",
    feed_url: "https://lectern.example/feed.json",
    language: "en",
  });
  expect(feed.authors).toEqual([{ name: site.author, url: "https://lectern.example/about" }]);
  expect(feed.items.map(({ id }: any) => id)).toEqual(
    ["newest", "middle", "oldest"].map((slug) => `https://lectern.example/blog/${slug}`),
  );
  for (const item of feed.items) {
    isHttps(item.url);
    isHttps(item.image);
    expect(item.date_published).toMatch(RFC_3339);
    expect(Number("content_html" in item) + Number("content_text" in item)).toBe(1);
    expect(item.tags.every((tag: unknown) => typeof tag === "string")).toBe(true);
  }
});

test("a site without posts has valid feeds", () => {
  const empty: PostIndex = sampleIndex();
  expect(parse(renderRssFeed({ ...source, index: empty })).rss.channel.item).toBeUndefined();
  expect(parse(renderAtomFeed({ ...source, index: empty })).feed.updated).toMatch(RFC_3339);
  expect(JSON.parse(renderJsonFeed({ ...source, index: empty })).items).toEqual([]);
});

test("a feed has the forty newest posts", () => {
  const many = sampleIndex(...Array.from({ length: 50 }, () => ({})));
  expect(parse(renderRssFeed({ ...source, index: many })).rss.channel.item).toHaveLength(40);
});

test("the sitemap has every page and listed post, with the post's day", () => {
  const { urlset } = parse(
    renderSitemap(index, site, ["/about", { path: "/calls/1-names", lastmod: "2026-11-22" }]),
  );
  expect(urlset["@xmlns"]).toBe("http://www.sitemaps.org/schemas/sitemap/0.9");
  expect(urlset.url).toEqual([
    { loc: "https://lectern.example/", lastmod: "2026-11-21" },
    { loc: "https://lectern.example/blog", lastmod: "2026-11-21" },
    { loc: "https://lectern.example/about" },
    { loc: "https://lectern.example/calls/1-names", lastmod: "2026-11-22" },
    { loc: "https://lectern.example/blog/newest", lastmod: "2026-11-21" },
    { loc: "https://lectern.example/blog/middle", lastmod: "2026-02-28" },
    { loc: "https://lectern.example/blog/oldest", lastmod: "2022-01-01" },
  ]);
});

test("robots.txt disallows handlers and static variants, and names the sitemap", () => {
  const text = renderRobotsTxt(site);
  for (const path of ["/api", "/reads", "/static"]) {
    expect(text).toContain(`Disallow: ${path}/\nDisallow: ${path}$\n`);
    // As a prefix, it would include the post /api-design.
    expect(text).not.toContain(`Disallow: ${path}\n`);
  }
  expect(text).toContain("Sitemap: https://lectern.example/sitemap.xml\n");
  expect(text).not.toContain("draft");
});

test("text that looks like HTML is text in every feed", () => {
  const description = 'Map<string, number> holds <b>AT&amp;T</b> & "co"';
  const posts = sampleIndex({ slug: "a", title: "Map<K, V>", description });
  const one = { ...source, index: posts };
  const [item] = parse(renderRssFeed(one)).rss.channel.item;
  const shown = fromHtml(item.description, { fragment: true });
  expect(shown.children).toEqual([expect.objectContaining({ type: "text", value: description })]);
  expect(item.title).toBe("Map<K, V>");
  const [entry] = parse(renderAtomFeed(one)).feed.entry;
  expect(entry.summary).toBe(description);
  expect(JSON.parse(renderJsonFeed(one)).items[0].summary).toBe(description);
});

test("an update changes the dates of change, and neither ids nor dates of publication", () => {
  const feeds = (updated?: string, changedMs?: number) => {
    const old = { slug: "old", date: "2026-11-01", ...(updated && { updated }) };
    const posts = sampleIndex(
      { slug: "new", date: "2026-11-10" },
      { ...samplePost(old), ...(changedMs !== undefined && { changedMs }) },
    );
    const one = { ...source, index: posts };
    const { channel } = parse(renderRssFeed(one)).rss;
    const { feed } = parse(renderAtomFeed(one));
    const json = JSON.parse(renderJsonFeed(one)).items[1];
    return {
      fixed: [
        channel.item[1].guid,
        channel.item[1].pubDate,
        feed.entry[1].id,
        feed.entry[1].published,
        json.id,
        json.date_published,
      ],
      changed: [
        new Date(channel.lastBuildDate).toISOString(),
        feed.updated,
        feed.entry[1].updated,
        json.date_modified,
      ],
      lastmod: parse(renderSitemap(posts, site, [])).urlset.url.at(-1).lastmod,
      jsonLd: createBlogPosting(posts.bySlug.get("old")!, site).dateModified,
    };
  };
  const before = feeds();
  const after = feeds("2026-11-20");
  expect(after.fixed).toEqual(before.fixed);
  for (const moment of after.changed) expect(moment).toMatch(/^2026-11-20T00:00:\d\d\.000Z$/);
  expect(before.changed[2]).toMatch(/^2026-11-01T/);
  expect([before.lastmod, after.lastmod]).toEqual(["2026-11-01", "2026-11-20"]);
  expect([before.jsonLd, after.jsonLd]).toEqual(["2026-11-01", "2026-11-20"]);
  const moment = "2026-11-22T09:15:00.000Z";
  const edited = feeds(undefined, Date.parse(moment));
  expect(edited.fixed).toEqual(before.fixed);
  expect([...edited.changed, edited.lastmod, edited.jsonLd]).toEqual(Array(6).fill(moment));
});

test("a post's image is in every feed: its own or, without one, the social image", () => {
  const own = { ...samplePost({ slug: "b", date: "2026-11-02" }), hero: { src: "/_img/b.png" } };
  const one = { ...source, index: sampleIndex(own, { slug: "a", hash: "0123456789abcdef" }) };
  const images = [
    "https://lectern.example/_img/b.png",
    "https://lectern.example/blog/a/social.png?v=0123456789ab",
  ];
  const media = images.map((url) => ({ "@url": url, "@medium": "image" }));
  const { item } = parse(renderRssFeed(one)).rss.channel;
  expect(item.map((each: any) => each["media:content"])).toEqual(media);
  const { entry } = parse(renderAtomFeed(one)).feed;
  expect(entry.map((each: any) => each["media:content"])).toEqual(media);
  expect(JSON.parse(renderJsonFeed(one)).items.map((each: any) => each.image)).toEqual(images);
});

test("an entry in a language other than the site's states it in every feed", () => {
  const one = {
    site,
    renderHtml: () => "<p>مرحبا</p>",
    index: sampleIndex({ slug: "b", date: "2026-11-02", lang: "ar" }, { slug: "a" }),
  };
  const { item } = parse(renderRssFeed(one)).rss.channel;
  expect(item.map((each: any) => each["dc:language"])).toEqual(["ar", undefined]);
  const { entry } = parse(renderAtomFeed(one)).feed;
  expect(entry.map((each: any) => each["@xml:lang"])).toEqual(["ar", undefined]);
  const { items } = JSON.parse(renderJsonFeed(one));
  expect(items.map((each: any) => each.language)).toEqual(["ar", undefined]);
});
