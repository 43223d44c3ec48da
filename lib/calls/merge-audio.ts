// Merges intro, call and answer into one file with ffmpeg, because podcast apps play one file per episode.
// Without ffmpeg the page plays question and answer in turn.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { SECOND_MS } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import {
  type EncodedAudio,
  MAX_ANSWER_BYTES,
  MAX_ANSWER_MS,
  MAX_CALL_MS,
  probeAudio,
  sniffAudio,
} from "./audio/probe.ts";

/** An answer of 30 minutes takes about 12 seconds on one core. */
const MERGE_DEADLINE_MS = 60 * SECOND_MS;
const DETECT_DEADLINE_MS = 5 * SECOND_MS;
const MAX_OUTPUT_CHARS = 200_000;
/** ffmpeg's limit on one allocation, against files that ask for gigabytes. */
const MAX_ALLOC_BYTES = 64_000_000;
/** Two tones, made by scripts/generate-podcast-assets.ts. */
const INTRO_FILE = "public/podcast/intro.mp3";
const PAUSE_SECONDS = 0.7;

/** ffmpeg's demuxer for each extension. Naming it keeps ffmpeg from opening playlists and other files. */
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
/** 64 kbit/s, mono: enough for speech. */
const MP3: OutputFormat = {
  extension: "mp3",
  outputArgs: ["-c:a", "libmp3lame", "-b:a", "64k", "-id3v2_version", "3", "-f", "mp3"],
};
const M4A: OutputFormat = {
  extension: "m4a",
  outputArgs: ["-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", "-f", "ipod"],
};

/** Runs ffmpeg without a shell or our environment. Resolves with exit code (null: killed) and output; rejects if it can't start. */
function runFfmpeg(
  args: readonly string[],
  deadlineMs: number,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    // eslint-disable-next-line no-restricted-syntax -- only PATH is passed on: secrets stay here
    const { PATH = "" } = process.env;
    const child = spawn(env.FFMPEG_PATH, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { NODE_ENV: env.NODE_ENV, PATH, LC_ALL: "C" },
      timeout: deadlineMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    const append = (text: string) => {
      output += text.slice(0, MAX_OUTPUT_CHARS - output.length);
    };
    child.stdout.setEncoding("utf8").on("data", append);
    child.stderr.setEncoding("utf8").on("data", append);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
    // Killed by the timeout: a child process of ffmpeg may keep the pipes open.
    child.on("exit", (code, signal) => {
      if (signal === null) return;
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, output });
    });
  });
}

const outputFormats = new Map<string, Promise<OutputFormat | null>>();

/** Returns what the installed ffmpeg can encode, preferably MP3; null without ffmpeg. Cached per path. */
function detectOutputFormat(): Promise<OutputFormat | null> {
  const path = env.FFMPEG_PATH;
  let format = outputFormats.get(path);
  if (!format) {
    format = runFfmpeg(["-hide_banner", "-encoders"], DETECT_DEADLINE_MS).then(
      ({ code, output }) =>
        code !== 0
          ? null
          : /^ A\S* libmp3lame /m.test(output)
            ? MP3
            : /^ A\S* aac /m.test(output)
              ? M4A
              : null,
      () => null,
    );
    outputFormats.set(path, format);
  }
  return format;
}

/** Returns whether ffmpeg can merge calls and answers here. */
export async function canMergeAudio(): Promise<boolean> {
  return (await detectOutputFormat()) !== null;
}

interface FfmpegInput {
  readonly demuxer: string;
  readonly file: string;
  readonly maxSeconds: number;
  readonly isVoice: boolean;
}

/** Builds the filter graph: normalizes the voices' volume, resamples, adds pauses, and concatenates. */
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
 * Returns intro, call and answer as one MP3 (or M4A), without the metadata of the parts. One merge runs at a time, at most
 * `deadlineMs`. null without ffmpeg or after a failure, which is logged.
 */
export function mergeAudio(
  source: MergeSource,
  deadlineMs = MERGE_DEADLINE_MS,
): Promise<EncodedAudio | null> {
  const merged = lastMerge.then(() => mergeWithFfmpeg(source, deadlineMs));
  lastMerge = merged.catch(() => {});
  return merged;
}

async function mergeWithFfmpeg(
  { title, call, answer }: MergeSource,
  deadlineMs: number,
): Promise<EncodedAudio | null> {
  const format = await detectOutputFormat();
  if (!format) return null;
  const parts = [
    ...(call ? [{ bytes: call, maxMs: MAX_CALL_MS }] : []),
    { bytes: answer, maxMs: MAX_ANSWER_MS },
  ];
  await mkdir(env.DATA_DIR, { recursive: true });
  const dir = resolve(await mkdtemp(join(env.DATA_DIR, "merge-")));
  try {
    const inputs: FfmpegInput[] = existsSync(INTRO_FILE)
      ? [{ demuxer: "mp3", file: resolve(INTRO_FILE), maxSeconds: 10, isVoice: false }]
      : [];
    for (const [i, { bytes, maxMs }] of parts.entries()) {
      const demuxer = DEMUXERS[sniffAudio(bytes)?.extension ?? ""];
      if (!demuxer) throw new Error("A part has an unsupported format.");
      const file = join(dir, `part-${i}`);
      await writeFile(file, bytes, { mode: 0o600 });
      inputs.push({ demuxer, file, maxSeconds: maxMs / SECOND_MS + 2, isVoice: true });
    }
    const out = join(dir, `merged.${format.extension}`);
    const { code, output } = await runFfmpeg(
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
          ? `ffmpeg was killed after ${deadlineMs / SECOND_MS} s.`
          : `ffmpeg exited with code ${code}: ${output.replaceAll(dir, basename(dir)).slice(-500)}`,
      );
    const audio = await readFile(out);
    const { contentType, durationMs } = await probeAudio(audio, {
      maxMs: MAX_CALL_MS + MAX_ANSWER_MS + 60 * SECOND_MS,
      maxBytes: MAX_ANSWER_BYTES + 1_000_000,
    });
    return { contentType, durationMs, audio };
  } catch (error) {
    log("error", "calls.merge_failed", { error });
    return null;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
