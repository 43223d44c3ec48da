import { expect, test } from "vitest";
import { postListHref } from "./post-list-href.ts";

test("the default list is /blog", () => {
  expect(postListHref({ q: "", topics: [], sort: "newest", read: "all", page: 1 })).toBe("/blog");
});

test("query, topics, order, filter and page are in the URL, escaped", () => {
  expect(
    postListHref({
      q: "a & b",
      topics: ["sqlite", "c++"],
      sort: "most-read",
      read: "unread",
      page: 2,
    }),
  ).toBe("/blog?q=a+%26+b&topic=sqlite&topic=c%2B%2B&sort=most-read&read=unread&page=2");
});

test("the default order of a query is omitted, another one is not", () => {
  expect(postListHref({ q: "x", topics: [], sort: "relevance" })).toBe("/blog?q=x");
  expect(postListHref({ q: "x", topics: [], sort: "newest" })).toBe("/blog?q=x&sort=newest");
});
