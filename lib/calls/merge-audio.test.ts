import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeToneWav } from "#tests/support/audio.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { env } from "#lib/core/env.ts";
import { probeAudio } from "./audio/probe.ts";
import { canMergeAudio, mergeAudio } from "./merge-audio.ts";

// In CI, a missing ffmpeg fails the tests.
const isInstalled = Boolean(process.env.CI) || spawnSync("ffmpeg", ["-version"]).status === 0;
const sample = (name: string) => readFileSync(`tests/fixtures/audio/${name}`);
const leftoverDirs = () =>
  existsSync(env.DATA_DIR)
    ? readdirSync(env.DATA_DIR).filter((name) => name.startsWith("merge-"))
    : [];

/** Replaces ffmpeg with a shell script to simulate its failures. */
function fakeFfmpeg(script: string): void {
  const file = join(env.DATA_DIR, `ffmpeg-${randomUUID()}`);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  overrideEnv({ FFMPEG_PATH: file });
}

test.runIf(isInstalled)(
  "intro, call and answer of different formats are merged, with the title as the only metadata",
  async () => {
    overrideEnv({ FFMPEG_PATH: undefined });
    expect(await canMergeAudio()).toBe(true);
    const [call, answer] = [sample("tone-live.webm"), sample("tone.m4a")];
    const merged = await mergeAudio({ title: `=; [out]" $(id) 'x' -y`, call, answer });
    const parts = await Promise.all([
      probeAudio(call),
      probeAudio(answer),
      probeAudio(readFileSync("public/podcast/intro.mp3")),
    ]);
    const pauses = 2 * 700;
    expect(merged!.contentType).toBe("audio/mpeg");
    expect(
      Math.abs(
        merged!.durationMs - parts.reduce((sum, { durationMs }) => sum + durationMs, pauses),
      ),
    ).toBeLessThan(250);
    expect(Buffer.from(merged!.audio).includes(`=; [out]" $(id) 'x' -y`, 0, "latin1")).toBe(true);
    expect(leftoverDirs()).toEqual([]);
  },
);

test.runIf(isInstalled)("for a typed question, intro and answer are merged", async () => {
  overrideEnv({ FFMPEG_PATH: undefined });
  const answer = sample("tone-opus.ogg");
  const merged = await mergeAudio({ title: "Typed", call: null, answer });
  const [a, b] = await Promise.all([
    probeAudio(answer),
    probeAudio(readFileSync("public/podcast/intro.mp3")),
  ]);
  expect(Math.abs(merged!.durationMs - (a.durationMs + b.durationMs + 700))).toBeLessThan(250);
});

test.runIf(isInstalled)("every accepted format can be merged", async () => {
  overrideEnv({ FFMPEG_PATH: undefined });
  for (const name of [
    "tone-opus.webm",
    "tone-fragments.mp4",
    "tone-vorbis.ogg",
    "tone-vbr.mp3",
    "tone.wav",
    "tone.flac",
  ]) {
    expect(
      await mergeAudio({ title: name, call: sample(name), answer: sample("tone.mp3") }),
      name,
    ).not.toBeNull();
  }
});

test.runIf(isInstalled)("a migrated call longer than two minutes is not cut", async () => {
  overrideEnv({ FFMPEG_PATH: undefined });
  const call = makeToneWav({ seconds: 150 });
  const merged = await mergeAudio({ title: "Long", call, answer: sample("tone.mp3") });
  expect(merged!.durationMs).toBeGreaterThan(150_000);
});

test("an episode that ffmpeg cut at its size limit is refused", async () => {
  const file = join(env.DATA_DIR, `cut-${randomUUID()}.wav`);
  writeFileSync(file, makeToneWav({ seconds: 240, rate: 96_000 }));
  fakeFfmpeg(
    `${LISTS_MP3_ENCODER}; while [ "$1" != -fs ]; do shift; done; head -c "$2" ${file} > "$last"`,
  );
  const events = await eventsOf(async () => {
    expect(await mergeAudio({ title: "Cut", call: null, answer: sample("tone.mp3") })).toBeNull();
  });
  expect(events).toEqual(["calls.merge_failed"]);
});

test("without ffmpeg the result is null", async () => {
  overrideEnv({ FFMPEG_PATH: join(env.DATA_DIR, "no-such-program") });
  expect(await canMergeAudio()).toBe(false);
  expect(await mergeAudio({ title: "None", call: null, answer: sample("tone.mp3") })).toBeNull();
  expect(leftoverDirs()).toEqual([]);
});

test("an ffmpeg without a usable encoder counts as missing", async () => {
  fakeFfmpeg("echo ' A..... flac FLAC'");
  expect(await canMergeAudio()).toBe(false);
});

test("an ffmpeg that could not be asked once is asked again", async () => {
  const answered = join(env.DATA_DIR, `asked-${randomUUID()}`);
  fakeFfmpeg(`[ -e ${answered} ] || { touch ${answered}; exit 1; }; echo ' A..... libmp3lame MP3'`);
  expect(await canMergeAudio()).toBe(false);
  expect(await canMergeAudio()).toBe(true);
});

/** Returns the events that `fn` logs. */
async function eventsOf(fn: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text) => lines.push(String(text)) > 0;
  try {
    await fn();
  } finally {
    process.stdout.write = write;
  }
  return lines.map((line) => JSON.parse(line).event);
}
const LISTS_MP3_ENCODER = `for last; do :; done; case "$*" in *-encoders*) echo ' A..... libmp3lame MP3'; exit 0;; esac`;

test("a failure or invalid output of ffmpeg is logged, and the result is null", async () => {
  const answer = sample("tone.mp3");
  const events = await eventsOf(async () => {
    fakeFfmpeg(`${LISTS_MP3_ENCODER}; echo 'broken input' >&2; exit 1`);
    expect(await mergeAudio({ title: "Fails", call: null, answer })).toBeNull();
    fakeFfmpeg(`${LISTS_MP3_ENCODER}; echo 'not audio' > "$last"`);
    expect(await mergeAudio({ title: "Lies", call: null, answer })).toBeNull();
  });
  expect(events).toEqual(["calls.merge_failed", "calls.merge_failed"]);
  expect(leftoverDirs()).toEqual([]);
});

test("a hanging ffmpeg is killed, and the next merge runs", async () => {
  const answer = sample("tone.mp3");
  fakeFfmpeg(`${LISTS_MP3_ENCODER}; sleep 8`);
  const began = performance.now();
  const events = await eventsOf(async () => {
    expect(
      await Promise.all([
        mergeAudio({ title: "Hangs", call: null, answer }, 150),
        mergeAudio({ title: "Hangs too", call: null, answer }, 150),
      ]),
    ).toEqual([null, null]);
  });
  expect(performance.now() - began).toBeLessThan(7_000);
  expect(events).toEqual(["calls.merge_failed", "calls.merge_failed"]);
  expect(leftoverDirs()).toEqual([]);
});

test("ffmpeg never gets a file of an unknown format", async () => {
  fakeFfmpeg(`${LISTS_MP3_ENCODER}; cp "$0" "$last"; exit 0`);
  const events = await eventsOf(async () => {
    expect(
      await mergeAudio({
        title: "A playlist",
        call: null,
        answer: Buffer.from("#EXTM3U\nfile:///etc/passwd\n"),
      }),
    ).toBeNull();
  });
  expect(events).toEqual(["calls.merge_failed"]);
});
