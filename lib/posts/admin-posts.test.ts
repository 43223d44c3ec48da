import { expect, test } from "vitest";
import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { sampleIndex } from "#tests/support/sample-posts.ts";
import { canPreview, filterAdminPosts, getAdminPost, listAdminPosts } from "./admin-posts.ts";

const tomorrow = new Date(nowMs() + DAY_MS).toISOString().slice(0, 10);
const failure = (slug: string, kind: "post" | "page" = "post") => ({
  slug,
  kind,
  file: `blog/${slug}.mdx`,
  line: 7,
  reason: "Nope is not a component.",
  sinceMs: nowMs(),
  servedFrom: "nothing" as const,
});

function samplePosts() {
  const allPosts = sampleIndex(
    { slug: "old", title: "An old Post", date: "2026-01-01" },
    { slug: "broken", date: "2026-01-02" },
    { slug: "draft", date: "2026-01-03", draft: true },
    { slug: "later", date: tomorrow },
  );
  const hidden = new Set([allPosts.bySlug.get("later")!]);
  const failures = [failure("broken"), failure("never"), failure("about", "page")];
  return listAdminPosts({ allPosts, hidden, failures, nowMs: nowMs() });
}

test("each post has one state, and a post that never compiled is listed with its file", () => {
  expect(samplePosts().map(({ slug, state, isHidden }) => [slug, state, isHidden])).toEqual([
    ["never", "failing", true],
    ["later", "scheduled", true],
    ["draft", "draft", false],
    ["broken", "failing", false],
    ["old", "published", false],
  ]);
  const broken = getAdminPost(samplePosts(), "broken");
  expect([broken.problem, broken.post?.slug]).toEqual([
    "blog/broken.mdx:7: Nope is not a component.",
    "broken",
  ]);
});

test("the list is filtered by state, and by a part of title, slug or file in any case", () => {
  const slugsOf = (state: "draft" | "failing" | null, text = "") =>
    filterAdminPosts(samplePosts(), { state, text }).map(({ slug }) => slug);
  expect(slugsOf("failing")).toEqual(["never", "broken"]);
  expect(slugsOf(null, " OLD P")).toEqual(["old"]);
  expect(slugsOf(null, "blog/dra")).toEqual(["draft"]);
  expect(slugsOf("draft", "old")).toEqual([]);
});

test("only posts that readers can't find have preview links, if there is something to show", () => {
  expect(
    samplePosts()
      .filter(canPreview)
      .map(({ slug }) => slug),
  ).toEqual(["later", "draft"]);
  expect(() => getAdminPost(samplePosts(), "nothing")).toThrow(
    expect.objectContaining({ code: "not_found" }),
  );
});
