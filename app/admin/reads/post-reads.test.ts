import { expect, test } from "vitest";
import { type PostReadsOrder, listPostRows, parseOrder } from "./post-reads.ts";

const post = (slug: string, title: string) => ({ slug, frontMatter: { title } });
const DATA = {
  posts: [post("b", "Beta"), post("a", "alpha"), post("c", "Gamma")] as unknown as Parameters<
    typeof listPostRows
  >[0]["posts"],
  reads: [
    { slug: "gone", reads: 9, recent: 0 },
    { slug: "a", reads: 5, recent: 1 },
    { slug: "b", reads: 5, recent: 2 },
  ],
  views: new Map([
    ["a", { started: 10, finished: 1 }],
    ["b", { started: 4, finished: 2 }],
  ]),
};
const order = (by: PostReadsOrder) => listPostRows(DATA, by).map(({ slug }) => slug);

test("posts are sorted by each column, and equal ones by slug", () => {
  expect(order("title")).toEqual(["a", "b", "c", "gone"]);
  expect(order("started")).toEqual(["a", "b", "c", "gone"]);
  expect(order("recent")).toEqual(["b", "a", "c", "gone"]);
  expect(order("completion")).toEqual(["b", "a", "c", "gone"]);
  expect(order("reads")).toEqual(["gone", "a", "b", "c"]);
});

test("a deleted post has no title, and a post without reads has zeros", () => {
  const rows = listPostRows(DATA, "reads");
  expect(rows[0]).toMatchObject({ slug: "gone", title: null, reads: 9 });
  expect(rows[3]).toEqual({
    slug: "c",
    title: "Gamma",
    reads: 0,
    recent: 0,
    views: { started: 0, finished: 0 },
  });
});

test("an unknown order falls back to reads", () => {
  expect(["title", "", "constructor", "__proto__"].map(parseOrder)).toEqual([
    "title",
    "reads",
    "reads",
    "reads",
  ]);
});
