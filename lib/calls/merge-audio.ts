// Intro, call and answer in one file, by ffmpeg where it is installed: podcast apps play one file, and the page then does too.
// Everything works without.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { SECOND_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import {
  MAX_ANSWER_BYTES,
  MAX_ANSWER_MS,
  MAX_CALL_MS,
  probeAudio,
  sniffAudio,
} from "./audio/probe.ts";

export interface MergedAudio {
  readonly contentType: string;
  readonly durationMs: number;
  readonly audio: Uint8Array;
}

/** Half an hour of answer takes a dozen seconds on one core. */
const MERGE_DEADLINE_MS = 60 * SECOND_MS;
const DETECT_DEADLINE_MS = 5 * SECOND_MS;
const MAX_OUTPUT_CHARS = 200_000;
/** What one block of memory may have: ffmpeg's own bound against files that ask for gigabytes. */
const MAX_ALLOC_BYTES = 64_000_000;
/** Two tones, our own (scripts/generate-podcast-assets.ts). */
const INTRO_FILE = "public/podcast/intro.mp3";
const PAUSE_SECONDS = 0.7;

/** ffmpeg's name of what reads each container. Named, so that it never looks for playlists and other files in what it is given. */
const DEMUXERS: Readonly<Record<string, string>> = {
  webm: "matroska",
  m4a: "mov",
  ogg: "ogg",
  mp3: "mp3",
  wav: "wav",
  flac: "flac",
};

interface OutputFormat {
  readonly extension: string;
  readonly outputArgs: readonly string[];
}
/** 64 kbit/s, one channel: what speech needs. */
const MP3: OutputFormat = {
  extension: "mp3",
  outputArgs: ["-c:a", "libmp3lame", "-b:a", "64k", "-id3v2_version", "3", "-f", "mp3"],
};
const M4A: OutputFormat = {
  extension: "m4a",
  outputArgs: ["-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", "-f", "ipod"],
};

/** Runs ffmpeg without a shell and without our environment. Resolves with its exit code (null: killed) and what it said; rejects where it can't be started. */
function runFfmpeg(
  args: readonly string[],
  deadlineMs: number,
): Promise<{ code: number | null; said: string }> {
  return new Promise((done, failed) => {
    // eslint-disable-next-line no-restricted-syntax -- where programs are, not how we are configured; our secrets stay here
    const { PATH = "" } = process.env;
    const child = spawn(env.FFMPEG_PATH, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { NODE_ENV: env.NODE_ENV, PATH, LC_ALL: "C" },
      timeout: deadlineMs,
      killSignal: "SIGKILL",
    });
    let said = "";
    const listen = (text: string) => {
      if (said.length < MAX_OUTPUT_CHARS) said += text.slice(0, MAX_OUTPUT_CHARS - said.length);
    };
    child.stdout.setEncoding("utf8").on("data", listen);
    child.stderr.setEncoding("utf8").on("data", listen);
    child.on("error", failed);
    child.on("close", (code) => done({ code, said }));
    // Ended by us: what it started itself may still hold its output open.
    child.on("exit", (code, signal) => {
      if (signal === null) return;
      child.stdout.destroy();
      child.stderr.destroy();
      done({ code, said });
    });
  });
}

const outputFormats = new Map<string, Promise<OutputFormat | null>>();

/** What the installed ffmpeg can write, MP3 before M4A; null where there is none. Asked once per process and path. */
function detectOutputFormat(): Promise<OutputFormat | null> {
  const path = env.FFMPEG_PATH;
  let found = outputFormats.get(path);
  if (!found) {
    found = runFfmpeg(["-hide_banner", "-encoders"], DETECT_DEADLINE_MS).then(
      ({ code, said }) =>
        code !== 0
          ? null
          : /^ A\S* libmp3lame /m.test(said)
            ? MP3
            : /^ A\S* aac /m.test(said)
              ? M4A
              : null,
      () => null,
    );
    outputFormats.set(path, found);
  }
  return found;
}

/** Whether calls and answers can be joined here. */
export async function canMergeAudio(): Promise<boolean> {
  return (await detectOutputFormat()) !== null;
}

interface FfmpegInput {
  readonly demuxer: string;
  readonly file: string;
  readonly maxSeconds: number;
  readonly isVoice: boolean;
}

/** Evens out how loud the voices are, gives all one rate, leaves a pause after each but the last, and puts them one after the other. */
function buildFilterGraph(inputs: readonly FfmpegInput[]): string {
  const parts = inputs.map(({ isVoice }, i) => {
    const filters = [
      "aresample=44100",
      "aformat=sample_fmts=fltp:channel_layouts=mono",
      ...(isVoice ? ["dynaudnorm=p=0.9:m=6"] : []),
      ...(i < inputs.length - 1 ? [`apad=pad_dur=${PAUSE_SECONDS}`] : []),
    ];
    return `[${i}:a:0]${filters.join(",")}[a${i}]`;
  });
  return `${parts.join(";")};${inputs.map((_, i) => `[a${i}]`).join("")}concat=n=${inputs.length}:v=0:a=1[out]`;
}

interface MergeSource {
  readonly title: string;
  /** null: the question was typed. */
  readonly call: Uint8Array | null;
  readonly answer: Uint8Array;
}

let lastMerge: Promise<unknown> = Promise.resolve();

/**
 * Call and answer, with our intro before them, as one MP3 (or M4A); what the files carried of names,
 * places and pictures is gone, the title is `title`. null where ffmpeg is not installed, or could not read them (which is logged): then
 * the page plays them in turn. One at a time, each ended after a minute.
 */
export function mergeAudio(
  source: MergeSource,
  deadlineMs = MERGE_DEADLINE_MS,
): Promise<MergedAudio | null> {
  const joined = lastMerge.then(() => mergeWithFfmpeg(source, deadlineMs));
  lastMerge = joined.catch(() => {});
  return joined;
}

async function mergeWithFfmpeg(
  { title, call, answer }: MergeSource,
  deadlineMs: number,
): Promise<MergedAudio | null> {
  const format = await detectOutputFormat();
  if (!format) return null;
  const parts = [
    ...(call ? [{ bytes: call, maxMs: MAX_CALL_MS }] : []),
    { bytes: answer, maxMs: MAX_ANSWER_MS },
  ];
  await mkdir(env.DATA_DIR, { recursive: true });
  const dir = resolve(await mkdtemp(join(env.DATA_DIR, "join-")));
  try {
    const inputs: FfmpegInput[] = existsSync(INTRO_FILE)
      ? [{ demuxer: "mp3", file: resolve(INTRO_FILE), maxSeconds: 10, isVoice: false }]
      : [];
    for (const [i, { bytes, maxMs }] of parts.entries()) {
      const demuxer = DEMUXERS[sniffAudio(bytes)?.extension ?? ""];
      if (!demuxer) throw new Error("A part is not a recording that we know.");
      const file = join(dir, `part-${i}`);
      await writeFile(file, bytes, { mode: 0o600 });
      inputs.push({ demuxer, file, maxSeconds: maxMs / SECOND_MS + 2, isVoice: true });
    }
    const out = join(dir, `joined.${format.extension}`);
    const { code, said } = await runFfmpeg(
      [
        ...[
          "-hide_banner",
          "-nostdin",
          "-loglevel",
          "error",
          "-max_alloc",
          String(MAX_ALLOC_BYTES),
          "-filter_threads",
          "1",
          "-filter_complex_threads",
          "1",
        ],
        ...inputs.flatMap(({ demuxer, file, maxSeconds }) => [
          "-protocol_whitelist",
          "file,pipe",
          "-threads",
          "1",
          "-f",
          demuxer,
          "-t",
          String(maxSeconds),
          "-i",
          file,
        ]),
        ...[
          "-filter_complex",
          buildFilterGraph(inputs),
          "-map",
          "[out]",
          "-map_metadata",
          "-1",
          "-map_chapters",
          "-1",
          "-metadata",
          `title=${title}`,
        ],
        ...["-threads", "1", "-fs", String(MAX_ANSWER_BYTES), ...format.outputArgs, out],
      ],
      deadlineMs,
    );
    if (code !== 0)
      throw new Error(
        code === null
          ? `ffmpeg was ended after ${deadlineMs / SECOND_MS} s.`
          : `ffmpeg ended with ${code}: ${said.replaceAll(dir, basename(dir)).slice(-500)}`,
      );
    const audio = await readFile(out);
    const { contentType, durationMs } = await probeAudio(audio, {
      maxMs: MAX_CALL_MS + MAX_ANSWER_MS + 60 * SECOND_MS,
      maxBytes: MAX_ANSWER_BYTES + 1_000_000,
    });
    return { contentType, durationMs, audio };
  } catch (error) {
    log("error", "calls.not_joined", { error });
    return null;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
