import { expect, test } from "vitest";
import { parsePost } from "./source/parse-post.ts";
import { newPostUrl } from "./new-post-url.ts";

const TEMPLATE = "https://git.example/new/main/blog?filename={file}&value={text}";

test("a new post starts with front matter that compiles, as a draft of today", () => {
  const url = new URL(newPostUrl(TEMPLATE, Date.parse("2026-11-29T12:00:00Z"))!);
  expect(url.searchParams.get("filename")).toBe("a-new-post.mdx");
  const { frontMatter } = parsePost("blog/a-new-post.mdx", url.searchParams.get("value")!);
  expect(frontMatter).toMatchObject({ date: "2026-11-29", draft: true, categories: [] });
  expect(newPostUrl(undefined, 0)).toBeNull();
});
