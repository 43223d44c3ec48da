import { expect, test } from "vitest";
import { laterUpdateDay, modificationTime, publicationTime } from "./post-times.ts";
import { samplePost } from "#tests/support/sample-posts.ts";

const moment = (fields: Parameters<typeof samplePost>[0]) =>
  publicationTime(samplePost(fields)).toISOString();

test("two posts of a day have different times, which stay the same", () => {
  expect(moment({ slug: "one", date: "2026-11-21" })).toBe("2026-11-21T12:37:17.000Z");
  expect(moment({ slug: "two", date: "2026-11-21" })).toBe("2026-11-21T12:55:42.000Z");
});

test("the time of a post without one is within an hour from noon UTC", () => {
  for (let i = 0; i < 200; i += 1)
    expect(moment({ slug: `post-${i}`, date: "2026-02-28" })).toMatch(
      /^2026-02-28T12:\d\d:\d\d\.000Z$/,
    );
});

test("a written time is the time of publication", () => {
  const dateMs = Date.UTC(2026, 10, 20, 23, 30);
  expect(moment({ date: "2026-11-21", dateMs })).toBe("2026-11-20T23:30:00.000Z");
});

test("a later update moves the last change, and nothing moves the publication", () => {
  const before = samplePost({ slug: "one", date: "2026-11-01" });
  const after = samplePost({ slug: "one", date: "2026-11-01", updated: "2026-11-20" });
  expect(modificationTime(before)).toEqual(publicationTime(before));
  expect(publicationTime(after)).toEqual(publicationTime(before));
  expect(modificationTime(after).toISOString()).toMatch(/^2026-11-20T12:/);
  const timed = samplePost({ updated: "2026-11-20", updatedMs: Date.UTC(2026, 10, 20, 8) });
  expect(modificationTime(timed).toISOString()).toBe("2026-11-20T08:00:00.000Z");
  expect(laterUpdateDay(after)).toBe("2026-11-20");
});

test("an update before the date or on its day is not shown, and never precedes it", () => {
  const early = samplePost({ date: "2026-11-01", updated: "2026-10-01" });
  expect(modificationTime(early)).toEqual(publicationTime(early));
  expect(laterUpdateDay(early)).toBeNull();
  expect(laterUpdateDay(samplePost({ date: "2026-11-01", updated: "2026-11-01" }))).toBeNull();
  expect(laterUpdateDay(samplePost())).toBeNull();
});
