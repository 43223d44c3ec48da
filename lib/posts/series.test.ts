import { expect, test } from "vitest";
import { findSeries } from "./series.ts";
import { sampleIndex } from "#tests/support/sample-posts.ts";

const placeOf = (index: ReturnType<typeof sampleIndex>, slug: string) => {
  const series = findSeries(index, slug);
  return (
    series && [
      `${series.number}/${series.total}`,
      ...series.parts.map(({ post, number }) => `${number} ${post.slug}`),
      series.previous?.slug ?? null,
      series.next?.slug ?? null,
    ]
  );
};

test("the parts of a series are in the order of their numbers, whatever their dates and the name's case", () => {
  const index = sampleIndex(
    { slug: "two", date: "2026-01-01", series: { name: "Storage", part: 2 } },
    { slug: "one", date: "2026-01-05", series: { name: "storage", part: 1 } },
    { slug: "four", date: "2026-01-03", series: { name: "Storage", part: 4 } },
    { slug: "other", date: "2026-01-02", series: { name: "Other", part: 3 } },
  );
  const parts = ["1 one", "2 two", "4 four"];
  expect(placeOf(index, "one")).toEqual(["1/4", ...parts, null, "two"]);
  expect(placeOf(index, "two")).toEqual(["2/4", ...parts, "one", "four"]);
  expect(placeOf(index, "four")).toEqual(["4/4", ...parts, "two", null]);
});

test("without numbers, or with a duplicate number, the parts are in the order of their dates", () => {
  const series = { name: "S" };
  const dated = sampleIndex(
    { slug: "b", date: "2026-01-02", series },
    { slug: "a", date: "2026-01-01", series },
  );
  expect(placeOf(dated, "b")).toEqual(["2/2", "1 a", "2 b", "a", null]);
  const twice = sampleIndex(
    { slug: "c", date: "2026-01-03", series: { name: "S", part: 1 } },
    { slug: "b", date: "2026-01-02", series: { name: "S", part: 1 } },
    { slug: "a", date: "2026-01-01", series },
  );
  expect(placeOf(twice, "b")).toEqual(["1/3", "1 b", "2 c", "3 a", null, "c"]);
});

test("drafts and unlisted posts are not parts for other posts, but a draft shows its place", () => {
  const index = sampleIndex(
    { slug: "one", series: { name: "S", part: 1 } },
    { slug: "two", series: { name: "S", part: 2 }, draft: true },
    { slug: "three", series: { name: "S", part: 3 }, unlisted: true },
  );
  expect(findSeries(index, "one")).toBeNull();
  expect(placeOf(index, "two")).toEqual(["2/2", "1 one", "2 two", "one", null]);
  expect(findSeries(index, "nothing")).toBeNull();
});

test("on a translation's page, the translation takes the place of its original", () => {
  const index = sampleIndex(
    { slug: "one", series: { name: "S", part: 1 } },
    { slug: "eins", series: { name: "S", part: 1 }, lang: "de", translationOf: "one" },
    { slug: "two", series: { name: "S", part: 2 } },
  );
  expect(placeOf(index, "one")).toEqual(["1/2", "1 one", "2 two", null, "two"]);
  expect(placeOf(index, "eins")).toEqual(["1/2", "1 eins", "2 two", null, "two"]);
});
