import { expect, test } from "vitest";
import { episodeChapters, formatChapters } from "./episode-chapters.ts";

const file = (durationMs: number) => ({ contentType: "audio/mpeg", durationMs, sizeBytes: 1 });
const episode = {
  callerName: "Ada",
  hasCall: true,
  callDurationMs: 60_000,
  answer: file(65_000),
  mergedAudio: file(128_300),
};

test("the answer begins its own length before the end", () => {
  expect(episodeChapters(episode)).toEqual([
    { startMs: 0, title: "Ada’s question" },
    { startMs: 63_300, title: "The answer" },
  ]);
  expect(JSON.parse(formatChapters(episodeChapters(episode)))).toEqual({
    version: "1.2.0",
    chapters: [
      { startTime: 0, title: "Ada’s question" },
      { startTime: 63.3, title: "The answer" },
    ],
  });
});

test("an episode of one part, or of lengths that don't add up, has no chapters", () => {
  expect(episodeChapters({ ...episode, mergedAudio: null })).toEqual([]);
  expect(episodeChapters({ ...episode, hasCall: false })).toEqual([]);
  expect(episodeChapters({ ...episode, mergedAudio: file(100_000) })).toEqual([]);
});
