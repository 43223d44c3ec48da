import { expect, test } from "vitest";
import { createPostIndex, findPost, isPromotable, listPosts, toPostSummary } from "./post.ts";
import { sampleIndex, samplePost } from "#tests/support/sample-posts.ts";

test("posts are sorted newest first, ties by slug", () => {
  const index = sampleIndex(
    { slug: "b", date: "2026-01-02" },
    { slug: "old", date: "2025-12-31" },
    { slug: "a", date: "2026-01-02" },
    { slug: "new", date: "2026-01-10" },
  );
  expect(index.posts.map(({ slug }) => slug)).toEqual(["new", "a", "b", "old"]);
});

test("posts of one day are sorted by their times, one without a time comes last", () => {
  const dateMs = Date.parse("2026-01-02T08:00:00Z");
  const index = sampleIndex(
    { slug: "day", date: "2026-01-02" },
    { slug: "morning", date: "2026-01-02", dateMs },
    { slug: "noon", date: "2026-01-02", dateMs: dateMs + 1 },
  );
  expect(index.posts.map(({ slug }) => slug)).toEqual(["noon", "morning", "day"]);
});

test("drafts and unlisted posts are found but not listed", () => {
  const index = sampleIndex(
    { slug: "draft", draft: true },
    { slug: "unlisted", unlisted: true },
    { slug: "archived", archived: true },
    { slug: "post" },
  );
  expect(listPosts(index).map(({ slug }) => slug)).toEqual(["archived", "post"]);
  expect(findPost(index, "draft")?.slug).toBe("draft");
  expect(findPost(index, "unlisted")?.slug).toBe("unlisted");
});

test("an archived post is not promotable", () => {
  expect(isPromotable(samplePost({ archived: true }))).toBe(false);
  expect(isPromotable(samplePost())).toBe(true);
});

test("a slug is not looked up on the prototype", () => {
  expect(findPost(sampleIndex(), "constructor")).toBeNull();
});

test("of two posts with the same slug, the later wins", () => {
  const index = createPostIndex("v1", [
    samplePost({ slug: "a", title: "First" }),
    samplePost({ slug: "a", title: "Second" }),
  ]);
  expect(index.posts.map(({ frontMatter }) => frontMatter.title)).toEqual(["Second"]);
});

test("a summary has the reading time and no body", () => {
  const summary = toPostSummary(samplePost({ readingMinutes: 7 }));
  expect(summary.readingMinutes).toBe(7);
  expect(summary).not.toHaveProperty("compiled");
});
