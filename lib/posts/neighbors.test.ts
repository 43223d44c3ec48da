import { expect, test } from "vitest";
import { sampleIndex } from "#tests/support/sample-posts.ts";
import { findNeighbors } from "./neighbors.ts";
import { findSeries } from "./series.ts";

const neighborsOf = (index: ReturnType<typeof sampleIndex>, slug: string) => {
  const { previous, next, isSeries } = findNeighbors(index, slug, findSeries(index, slug));
  return [previous?.slug ?? null, next?.slug ?? null, isSeries];
};

test("the neighbors of a post are the listed posts before and after it", () => {
  const index = sampleIndex(
    { slug: "new", date: "2026-01-03" },
    { slug: "draft", date: "2026-01-02", draft: true },
    { slug: "old", date: "2026-01-01" },
  );
  expect(neighborsOf(index, "old")).toEqual([null, "new", false]);
  expect(neighborsOf(index, "new")).toEqual(["old", null, false]);
  expect(neighborsOf(index, "draft")).toEqual([null, null, false]);
});

test("a part of a series has the neighbors of the series, although others are nearer by date", () => {
  const index = sampleIndex(
    { slug: "two", date: "2026-01-03", series: { name: "S" } },
    { slug: "between", date: "2026-01-02" },
    { slug: "one", date: "2026-01-01", series: { name: "S" } },
  );
  expect(neighborsOf(index, "two")).toEqual(["one", null, true]);
  expect(neighborsOf(index, "one")).toEqual([null, "two", true]);
  expect(neighborsOf(index, "between")).toEqual(["one", "two", false]);
});
