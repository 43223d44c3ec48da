// Writes transcripts of episodes with the owner's command, in the background on the primary.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { defineBackgroundJob } from "#lib/core/background-job.ts";
import { HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { createFolder } from "#lib/core/create-folder.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { runCommand } from "#lib/core/run-command.ts";
import { singleton } from "#lib/core/singleton.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { currentRole } from "#lib/replication/role.ts";
import { readAnswerAudio, readMergedAudio } from "./audio-blobs.sql.ts";
import { sniffAudio } from "./audio/probe.ts";
import { MERGE_FOLDER_PREFIX } from "./merge-audio.ts";
import { normalizeCommandOutput } from "./normalize-transcript.ts";
import { MAX_TRANSCRIPT_CHARS } from "./transcript.ts";

const DEADLINE_MS = HOUR_MS;
const POLL_INTERVAL_MS = MINUTE_MS;
/** Stored before each run, so that a run that takes the machine down is not repeated endlessly. */
const RETRY_DELAYS_MS = [2 * MINUTE_MS, 15 * MINUTE_MS];
const MAX_ERROR_CHARS = 500;
/** Each run has a folder in DATA_DIR whose name starts with this. */
const FOLDER_PREFIX = "transcribe-";

export const isTranscriptionConfigured = (): boolean => env.TRANSCRIBE_COMMAND !== undefined;

/**
 * Returns the program and its arguments: words separated by spaces, or quoted. {file} becomes the
 * file's path, which otherwise comes last.
 */
export function parseTranscribeCommand(command: string, file: string): [string, ...string[]] {
  const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? "",
  );
  const isNamed = words.some((word) => word.includes("{file}"));
  const [program = "", ...args] = words.map((word) => word.replaceAll("{file}", () => file));
  return isNamed ? [program, ...args] : [program, ...args, file];
}

/**
 * Requests the transcript of an episode, also after failures, if a command is configured: call
 * triggerTranscriptions() after the commit.
 */
export async function requestTranscription(tx: Tx, callId: string): Promise<void> {
  if (!isTranscriptionConfigured()) return;
  const now = new Date(nowMs());
  const fields = { requestedAt: now, nextTryAt: now, tries: 0, lastError: null };
  await tx.transcription.upsert({
    where: { callId },
    create: { callId, ...fields },
    update: fields,
    select: { callId: true },
  });
}

interface DueTranscription {
  readonly callId: string;
  readonly tries: number;
}

const isDue = () => ({ nextTryAt: { lte: new Date(nowMs()) } });
const findDue = (tx: Tx): Promise<DueTranscription | null> =>
  tx.transcription.findFirst({
    where: isDue(),
    orderBy: [{ nextTryAt: "asc" }, { callId: "asc" }],
    select: { callId: true, tries: true },
  });

/** Counts the run that follows. Returns the audio, or null if the episode needs no transcript now. */
async function claim(
  tx: Tx,
  { callId, tries }: DueTranscription,
): Promise<{ audio: Uint8Array; publishedAt: Date } | null> {
  const episode = await tx.episode.findUnique({
    where: { callId },
    select: { transcript: true, publishedAt: true },
  });
  if (episode?.transcript !== "") {
    await tx.transcription.deleteMany({ where: { callId } });
    return null;
  }
  const delayMs = RETRY_DELAYS_MS[tries];
  await tx.transcription.updateMany({
    where: { callId },
    data: {
      tries: tries + 1,
      nextTryAt: delayMs === undefined ? null : new Date(nowMs() + delayMs),
    },
  });
  const audio = readMergedAudio(tx, callId) ?? readAnswerAudio(tx, callId);
  return audio && { audio, publishedAt: episode.publishedAt };
}

/**
 * Stores the transcript of the episode published at `publishedAt`, unless an admin has written one
 * in the meantime or the episode was unpublished.
 */
async function storeTranscript(
  tx: Tx,
  { callId, publishedAt, transcript }: { callId: string; publishedAt: Date; transcript: string },
): Promise<void> {
  const episode = await tx.episode.findUnique({
    where: { callId, publishedAt },
    select: { transcript: true, updatedAt: true, call: { select: { updatedAt: true } } },
  });
  // A republished episode may have another answer.
  if (!episode) return;
  const { count } = await tx.transcription.deleteMany({ where: { callId } });
  if (count === 0 || episode.transcript !== "") return;
  const updatedAt = new Date(
    Math.max(nowMs(), episode.updatedAt.getTime() + 1, episode.call.updatedAt.getTime() + 1),
  );
  await tx.episode.update({
    where: { callId },
    // Changes the call's version, too, because an admin's older form would delete the transcript.
    data: { transcript, updatedAt, call: { update: { updatedAt } } },
    select: { callId: true },
  });
}

/** Runs the command on the audio. Returns the transcript. Throws an Error that says what failed. */
async function transcribe(audio: Uint8Array): Promise<string> {
  const extension = sniffAudio(audio)?.extension;
  if (!extension) throw new Error("The audio has an unknown format.");
  createFolder(env.DATA_DIR);
  const dir = resolve(await mkdtemp(join(env.DATA_DIR, FOLDER_PREFIX)));
  try {
    const file = join(dir, `episode.${extension}`);
    await writeFile(file, audio, { mode: 0o600 });
    const [program, ...args] = parseTranscribeCommand(env.TRANSCRIBE_COMMAND ?? "", file);
    const { code, stdout, stderr } = await runCommand(program, args, {
      deadlineMs: DEADLINE_MS,
      maxOutputChars: 2 * MAX_TRANSCRIPT_CHARS,
      isLowPriority: true,
    });
    if (code !== 0)
      throw new Error(
        code === null
          ? `The command was killed after ${DEADLINE_MS / MINUTE_MS} minutes.`
          : `The command exited with code ${code}: ${stderr.replaceAll(dir, basename(dir)).trim().slice(-MAX_ERROR_CHARS)}`,
      );
    const transcript = normalizeCommandOutput(stdout);
    if (transcript === "") throw new Error("The command printed nothing.");
    return transcript;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function runTranscription(due: DueTranscription): Promise<void> {
  const { callId } = due;
  const claimed = await write((tx) => claim(tx, due));
  if (!claimed) return;
  const { audio, publishedAt } = claimed;
  try {
    const transcript = await transcribe(audio);
    await write((tx) => storeTranscript(tx, { callId, publishedAt, transcript }));
  } catch (error) {
    log("error", "calls.transcribe_failed", { callId, tries: due.tries + 1, error });
    const lastError = (error instanceof Error ? error.message : String(error)).slice(
      0,
      MAX_ERROR_CHARS,
    );
    await write((tx) => tx.transcription.updateMany({ where: { callId }, data: { lastError } }));
  }
}

/** Runs every due transcription, one at a time. Does nothing unless this is the primary. */
async function runDue(): Promise<void> {
  while (currentRole() === "primary" && isTranscriptionConfigured()) {
    const due = await read(findDue);
    if (!due) return;
    await runTranscription(due);
  }
}

const transcriptions = defineBackgroundJob("transcriptions", runDue, (error) =>
  log(currentRole() === "primary" ? "error" : "warn", "transcriptions.stopped", { error }),
);

/** Runs every due transcription on the primary; concurrent calls share one run. */
export const runTranscriptions = transcriptions.run;

/** Starts transcriptions in the background. Call it after the commit that requested them. */
export const triggerTranscriptions = transcriptions.trigger;

/** Deletes the audio that runs and merges of a crashed process left behind. */
function removeLeftovers(): void {
  if (!existsSync(env.DATA_DIR)) return;
  for (const entry of readdirSync(env.DATA_DIR, { withFileTypes: true }))
    if (
      entry.isDirectory() &&
      [FOLDER_PREFIX, MERGE_FOLDER_PREFIX].some((prefix) => entry.name.startsWith(prefix))
    )
      try {
        rmSync(join(env.DATA_DIR, entry.name), { recursive: true, force: true });
      } catch (error) {
        log("error", "calls.transcribe_leftover", { folder: entry.name, error });
      }
}

/** Starts polling for due transcriptions. Idempotent. */
export function startTranscriptionPolling(): void {
  // Once per process: a run that has started since then has a folder, too.
  singleton("transcription-leftovers", removeLeftovers);
  transcriptions.startPolling(POLL_INTERVAL_MS);
}
