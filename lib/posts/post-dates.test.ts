import { expect, test } from "vitest";
import {
  formatModification,
  formatPublication,
  isScheduled,
  laterUpdateDay,
  modificationMs,
  publicationMs,
} from "./post-dates.ts";
import { samplePost } from "#tests/support/sample-posts.ts";

const publication = (fields: Parameters<typeof samplePost>[0]) =>
  new Date(publicationMs(samplePost(fields))).toISOString();
const modification = (fields: Parameters<typeof samplePost>[0]) =>
  new Date(modificationMs(samplePost(fields))).toISOString();

test("two posts of one day have different times, which never change", () => {
  expect(publication({ slug: "one", date: "2026-11-21" })).toBe("2026-11-21T00:00:35.000Z");
  expect(publication({ slug: "two", date: "2026-11-21" })).toBe("2026-11-21T00:00:12.000Z");
});

test("a post without a time goes live when it is published, in the first minute of its day", () => {
  for (let i = 0; i < 200; i += 1) {
    const post = samplePost({ slug: `post-${i}`, date: "2026-02-28" });
    expect(new Date(publicationMs(post)).toISOString()).toMatch(/^2026-02-28T00:00:\d\d\.000Z$/);
    expect(isScheduled(post, publicationMs(post) - 1)).toBe(true);
    expect(isScheduled(post, publicationMs(post))).toBe(false);
  }
});

test("a written time is the time of publication", () => {
  const dateMs = Date.UTC(2026, 10, 20, 23, 30);
  expect(publication({ date: "2026-11-21", dateMs })).toBe("2026-11-20T23:30:00.000Z");
  expect(formatPublication(samplePost({ date: "2026-11-21", dateMs }))).toBe(
    "2026-11-20T23:30:00.000Z",
  );
  expect(formatPublication(samplePost({ date: "2026-11-21" }))).toBe("2026-11-21");
});

test("a later update moves the last change, and nothing moves the publication", () => {
  const before = samplePost({ slug: "one", date: "2026-11-01" });
  const after = samplePost({ slug: "one", date: "2026-11-01", updated: "2026-11-20" });
  expect(modificationMs(before)).toBe(publicationMs(before));
  expect(publicationMs(after)).toBe(publicationMs(before));
  expect(new Date(modificationMs(after)).toISOString()).toMatch(/^2026-11-20T00:00:/);
  expect(formatModification(after)).toBe("2026-11-20");
  const timed = { updated: "2026-11-20", updatedMs: Date.UTC(2026, 10, 20, 8) };
  expect(modification(timed)).toBe("2026-11-20T08:00:00.000Z");
  expect(formatModification(samplePost(timed))).toBe("2026-11-20T08:00:00.000Z");
  expect(laterUpdateDay(after)).toBe("2026-11-20");
});

test("the last change of the text counts unless the author names one", () => {
  const changedMs = Date.UTC(2026, 10, 22, 9, 15);
  const post = { ...samplePost({ date: "2026-11-01" }), changedMs };
  expect(modificationMs(post)).toBe(changedMs);
  expect(formatModification(post)).toBe("2026-11-22T09:15:00.000Z");
  const dated = { ...samplePost({ date: "2026-11-01", updated: "2026-11-20" }), changedMs };
  expect(formatModification(dated)).toBe("2026-11-20");
});

test("a change before the date, or an update on its day, never precedes the publication", () => {
  const early = samplePost({ date: "2026-11-01", updated: "2026-10-01" });
  expect(modificationMs(early)).toBe(publicationMs(early));
  expect(formatModification(early)).toBe("2026-11-01");
  expect(laterUpdateDay(early)).toBeNull();
  expect(laterUpdateDay(samplePost({ date: "2026-11-01", updated: "2026-11-01" }))).toBeNull();
  expect(laterUpdateDay(samplePost())).toBeNull();
  const planned = { ...samplePost({ date: "2026-11-01" }), changedMs: Date.UTC(2026, 9, 1) };
  expect(formatModification(planned)).toBe("2026-11-01");
});
