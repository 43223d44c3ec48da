import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { insertCall, insertUser } from "./support/factories.ts";
import { makeOpusWebm, toDataUrl } from "./support/audio.ts";
import { nowMs } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { probeAudio } from "#lib/calls/audio/probe.ts";
import { findEpisode, findEpisodeAudio } from "#lib/calls/episodes.ts";
import { mergeAudio } from "#lib/calls/merge-audio.ts";
import { findMergeSource, publishCall } from "#lib/calls/publish.ts";
import { saveAnswer } from "#lib/calls/review.ts";
import { getReviewedCall } from "#lib/calls/review-queue.ts";

/** The Debian packages that the last stage of the Dockerfile installs. */
function listImagePackages(): string[] {
  const stage = readFileSync("Dockerfile", "utf8")
    .split(/^FROM /m)
    .at(-1)!;
  const install = /apt-get install((?:[^&\\]|\\\n)*)/.exec(stage)?.[1] ?? "";
  return install.split(/[\s\\]+/).filter((word) => word && !word.startsWith("-"));
}

test("the image has ffmpeg where the site looks for it", () => {
  expect(listImagePackages()).toEqual(
    expect.arrayContaining(["ca-certificates", "ffmpeg", "fuse3"]),
  );
  expect(readFileSync("Dockerfile", "utf8")).not.toContain("FFMPEG_PATH");
});

const isInstalled = Boolean(process.env.CI) || spawnSync("ffmpeg", ["-version"]).status === 0;

test.runIf(isInstalled)("a call recorded as Opus is published as one MP3", async () => {
  const recording = makeOpusWebm({ seconds: 3 });
  expect((await probeAudio(recording, { maxMs: 10_000, maxBytes: 1e6 })).contentType).toBe(
    "audio/webm",
  );
  const { admin, callId } = await write((tx) => ({
    admin: {
      ...insertUser(tx, { role: "ADMIN" }),
      sessionKey: "key",
      loggedInAtMs: nowMs(),
    },
    callId: insertCall(tx, {
      userId: insertUser(tx).id,
      base64: toDataUrl("audio/webm", recording),
    }).id,
  }));
  const findVersion = () =>
    read(async (tx) => (await getReviewedCall(tx, { admin, callId })).changedAt);
  const answer = readFileSync("tests/fixtures/audio/tone-opus.ogg");
  const expectedVersion = await findVersion();
  await write((tx) =>
    saveAnswer(tx, {
      callId,
      admin,
      expectedVersion,
      answer: { contentType: "audio/ogg", durationMs: 1_000, audio: answer },
    }),
  );
  const decision = { callId, admin, expectedVersion: await findVersion() };
  const source = await read((tx) => findMergeSource(tx, decision));
  const mergedAudio = await mergeAudio(source!);
  const { slug } = await write((tx) =>
    publishCall(tx, { ...decision, transcript: "", mergedAudio }),
  );

  const episode = await read((tx) => findEpisode(tx, slug));
  expect(episode!.mergedAudio).toMatchObject({ contentType: "audio/mpeg" });
  expect(episode!.mergedAudio!.durationMs).toBeGreaterThan(4_000);
  const file = await read((tx) => findEpisodeAudio(tx, slug, "episode"));
  expect(file!.sniffed.contentType).toBe("audio/mpeg");
});
