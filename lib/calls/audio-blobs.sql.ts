// Reads and writes audio files, and reads their sizes, in plain SQL, because Prisma passes bytes as
// base64. Inserting a 16 MB answer takes 45 ms instead of 120 ms, during which all other writes
// wait; reading a 20 MB answer takes 35 ms instead of 83 ms. Also, a synchronous read fills the
// cache before the next request runs.

import type { TranscriptKind } from "./transcript.ts";
import { nowMs } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import type { EncodedAudio } from "./audio/probe.ts";

/** Saves or replaces the answer to a call. */
export function saveAnswerAudio(
  tx: Tx,
  callId: string,
  { contentType, durationMs, audio }: EncodedAudio,
): void {
  sqlOf(tx).run(
    `INSERT OR REPLACE INTO "CallAnswer" ("callId", "createdAt", "contentType", "durationMs", "audio") VALUES (?, ?, ?, ?, ?)`,
    callId,
    nowMs(),
    contentType,
    Math.round(durationMs),
    audio,
  );
}

/** Saves the merged audio of an episode. */
export function saveMergedAudio(
  tx: Tx,
  callId: string,
  { contentType, durationMs, audio }: EncodedAudio,
): void {
  sqlOf(tx).run(
    `UPDATE "Episode" SET "joinedType" = ?, "joinedDurationMs" = ?, "joinedAudio" = ? WHERE "callId" = ?`,
    contentType,
    Math.round(durationMs),
    audio,
    callId,
  );
}

/** Returns the answer's audio, or null if the call has no answer. */
export const readAnswerAudio = (tx: Tx, callId: string): Uint8Array | null =>
  sqlOf(tx).get<{ audio: Uint8Array }>(
    `SELECT "audio" FROM "CallAnswer" WHERE "callId" = ?`,
    callId,
  )?.audio ?? null;

/** Returns the merged audio of an episode, or null. */
export const readMergedAudio = (tx: Tx, callId: string): Uint8Array | null =>
  sqlOf(tx).get<{ audio: Uint8Array | null }>(
    `SELECT "joinedAudio" AS "audio" FROM "Episode" WHERE "callId" = ?`,
    callId,
  )?.audio ?? null;

export interface AudioSizes {
  readonly callId: string;
  readonly answerBytes: number;
  /** 0 if question and answer are not merged. */
  readonly mergedBytes: number;
  readonly transcriptKind: TranscriptKind;
}

/**
 * Returns the sizes in bytes of the audio files of these calls, and which transcript they have, by
 * call id. Omits calls without an answer. octet_length() reads the size from the row header; Prisma
 * would read the whole file. For 30 answers of 2 MB, it takes 0.2 ms instead of 208 ms.
 */
export function findAudioSizes(tx: Tx, callIds: readonly string[]): Map<string, AudioSizes> {
  const sizes = sqlOf(tx).all<AudioSizes>(
    `SELECT w."callId", octet_length(w."audio") AS "answerBytes", COALESCE(octet_length(e."joinedAudio"), 0) AS "mergedBytes",
       CASE WHEN COALESCE(e."transcript", '') = '' THEN 'none' WHEN substr(e."transcript", 1, 6) = 'WEBVTT' THEN 'timed' ELSE 'plain' END AS "transcriptKind"
     FROM json_each(?) JOIN "CallAnswer" w ON w."callId" = "value" LEFT JOIN "Episode" e ON e."callId" = w."callId"`,
    JSON.stringify(callIds),
  );
  return new Map(sizes.map((each) => [each.callId, each]));
}
