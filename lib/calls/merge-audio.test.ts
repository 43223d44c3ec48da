import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { env } from "#lib/core/env.ts";
import { probeAudio } from "./audio/probe.ts";
import { canMergeAudio, mergeAudio } from "./merge-audio.ts";

const isInstalled = spawnSync("ffmpeg", ["-version"]).status === 0;
const sample = (name: string) => readFileSync(`tests/fixtures/audio/${name}`);
const leftOver = () =>
  existsSync(env.DATA_DIR)
    ? readdirSync(env.DATA_DIR).filter((name) => name.startsWith("join-"))
    : [];

/** A program in place of ffmpeg that does what `script` says: what goes wrong with one can't be had of a right one. */
function pretend(script: string): void {
  const file = join(env.DATA_DIR, `ffmpeg-${randomUUID()}`);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  overrideEnv({ FFMPEG_PATH: file });
}

test.runIf(isInstalled)(
  "a call and an answer of different kinds become one file, after the intro, with a title and nothing else of theirs",
  async () => {
    overrideEnv({ FFMPEG_PATH: undefined });
    expect(await canMergeAudio()).toBe(true);
    const [call, answer] = [sample("tone-live.webm"), sample("tone.m4a")];
    const joined = await mergeAudio({ title: `=; [out]" $(id) 'x' -y`, call, answer });
    const parts = await Promise.all([
      probeAudio(call),
      probeAudio(answer),
      probeAudio(readFileSync("public/podcast/intro.mp3")),
    ]);
    const pauses = 2 * 700;
    expect(joined!.contentType).toBe("audio/mpeg");
    expect(
      Math.abs(
        joined!.durationMs - parts.reduce((sum, { durationMs }) => sum + durationMs, pauses),
      ),
    ).toBeLessThan(250);
    expect(Buffer.from(joined!.audio).includes(`=; [out]" $(id) 'x' -y`, 0, "latin1")).toBe(true);
    expect(leftOver()).toEqual([]);
  },
);

test.runIf(isInstalled)("a typed question’s file is the intro and the answer", async () => {
  overrideEnv({ FFMPEG_PATH: undefined });
  const answer = sample("tone-opus.ogg");
  const joined = await mergeAudio({ title: "Typed", call: null, answer });
  const [a, b] = await Promise.all([
    probeAudio(answer),
    probeAudio(readFileSync("public/podcast/intro.mp3")),
  ]);
  expect(Math.abs(joined!.durationMs - (a.durationMs + b.durationMs + 700))).toBeLessThan(250);
});

test.runIf(isInstalled)("every kind of recording that a call may be can be joined", async () => {
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

test("without ffmpeg nothing is joined and nothing fails", async () => {
  overrideEnv({ FFMPEG_PATH: join(env.DATA_DIR, "no-such-program") });
  expect(await canMergeAudio()).toBe(false);
  expect(await mergeAudio({ title: "None", call: null, answer: sample("tone.mp3") })).toBeNull();
  expect(leftOver()).toEqual([]);
});

test("an ffmpeg without a codec that podcast apps play counts as none", async () => {
  pretend("echo ' A..... flac FLAC'");
  expect(await canMergeAudio()).toBe(false);
});

/** The events that `fn` logs, which it is meant to. */
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
const knowsMp3 = `for last; do :; done; case "$*" in *-encoders*) echo ' A..... libmp3lame MP3'; exit 0;; esac`;

test("a program that fails, or writes what is no sound, joins nothing and is logged", async () => {
  const answer = sample("tone.mp3");
  const events = await eventsOf(async () => {
    pretend(`${knowsMp3}; echo 'broken input' >&2; exit 1`);
    expect(await mergeAudio({ title: "Fails", call: null, answer })).toBeNull();
    pretend(`${knowsMp3}; echo 'no sound at all' > "$last"`);
    expect(await mergeAudio({ title: "Lies", call: null, answer })).toBeNull();
  });
  expect(events).toEqual(["calls.merge_failed", "calls.merge_failed"]);
  expect(leftOver()).toEqual([]);
});

test("a program that never ends is ended, and who waits behind it has their turn", async () => {
  const answer = sample("tone.mp3");
  pretend(`${knowsMp3}; sleep 8`);
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
  expect(leftOver()).toEqual([]);
});

test("what is no recording never reaches the program", async () => {
  pretend(`${knowsMp3}; cp "$0" "$last"; exit 0`);
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
