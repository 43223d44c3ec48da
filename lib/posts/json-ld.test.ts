import { expect, test } from "vitest";
import { createBlogPosting, serializeForScript } from "./json-ld.ts";
import { samplePost } from "#tests/support/sample-posts.ts";
import type { SiteMetadata } from "./site-metadata.ts";

const site: SiteMetadata = {
  url: "https://lectern.example",
  name: "Lectern",
  description: "Posts",
  author: "Ada",
  language: "en",
};

test("a post is a BlogPosting with absolute URLs", () => {
  const post = {
    ...samplePost({
      slug: "a-post",
      hash: "0123456789abcdef",
      title: "T".repeat(300),
      date: "2026-11-21",
      keywords: ["x", "y"],
      readingMinutes: 7,
    }),
    hero: { src: "/_img/a.png", width: 3, height: 4 },
  };
  const data = createBlogPosting(post, site);
  expect(data).toMatchObject({
    "@type": "BlogPosting",
    url: "https://lectern.example/blog/a-post",
    datePublished: "2026-11-21",
    timeRequired: "PT7M",
    keywords: "x, y",
    image: [
      "https://lectern.example/blog/a-post/social.png?v=0123456789ab",
      "https://lectern.example/_img/a.png",
    ],
  });
  expect((data.headline as string).length).toBe(110);
});

test("serialized data cannot close its script element, and parses to the same data", () => {
  const data = { title: "</script><script>alert(1)</script><!--\u2028 & more" };
  const json = serializeForScript(data);
  expect(json).not.toMatch(/[<>&\u2028]/);
  expect(JSON.parse(json)).toEqual(data);
});

test("the dates of a post are days, or moments if the author wrote a time", () => {
  const dates = (fields: Parameters<typeof samplePost>[0]) => {
    const { datePublished, dateModified } = createBlogPosting(samplePost(fields), site);
    return [datePublished, dateModified];
  };
  const date = "2026-11-01";
  expect(dates({ date })).toEqual([date, date]);
  expect(dates({ date, updated: "2026-11-20" })).toEqual([date, "2026-11-20"]);
  expect(dates({ date, updated: "2026-10-20" })).toEqual([date, date]);
  expect(
    dates({
      date,
      dateMs: Date.UTC(2026, 10, 1, 8),
      updated: "2026-11-20",
      updatedMs: Date.UTC(2026, 10, 20, 9),
    }),
  ).toEqual(["2026-11-01T08:00:00.000Z", "2026-11-20T09:00:00.000Z"]);
});

test("a part of a series names the series and its position", () => {
  const blog = { "@type": "Blog", "@id": "https://lectern.example/blog", name: "Lectern" };
  const posting = (fields: Parameters<typeof samplePost>[0]) =>
    createBlogPosting(samplePost(fields), site);
  const part = posting({ series: { name: "Storage", part: 2 } });
  expect(part.isPartOf).toEqual([blog, { "@type": "CreativeWorkSeries", name: "Storage" }]);
  expect(part.position).toBe(2);
  expect(posting({}).isPartOf).toEqual(blog);
});
