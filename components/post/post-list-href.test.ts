import { expect, test } from "vitest";
import { postListHref } from "./post-list-href.ts";

test("the list without anything chosen is /blog", () => {
  expect(postListHref({ q: "", topics: [], sort: "newest", read: "all", page: 1 })).toBe("/blog");
});

test("words, topics, order, filter and page stand in the address, escaped", () => {
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

test("the order that words bring by themselves is left out, another one is not", () => {
  expect(postListHref({ q: "x", topics: [], sort: "relevance" })).toBe("/blog?q=x");
  expect(postListHref({ q: "x", topics: [], sort: "newest" })).toBe("/blog?q=x&sort=newest");
});
