// Reads published episodes, their audio and their neighbors.

import { MINUTE_MS } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { type SniffedAudio, sniffAudio } from "./audio/probe.ts";
import { AudioCache } from "./audio-cache.ts";
import { IS_RECORDED_SQL, findCallAudio } from "./recording.ts";

export interface Episode {
  readonly callId: string;
  readonly number: number;
  readonly slug: string;
  readonly publishedAt: number;
  readonly updatedAt: number;
  readonly title: string;
  readonly description: string;
  /** Comma-separated. */
  readonly keywords: string;
  readonly callerName: string;
  /** False for a typed question, which is the description. */
  readonly hasCall: boolean;
  /** Null for a typed question, or a recording from the source site that was never probed. */
  readonly callDurationMs: number | null;
  readonly answer: AudioFile;
  /** Intro, call and answer in one file; null if they were not merged (no ffmpeg, or it failed). */
  readonly mergedAudio: AudioFile | null;
}

export interface AudioFile {
  readonly contentType: string;
  readonly durationMs: number;
  readonly sizeBytes: number;
}

interface EpisodeRow extends Omit<Episode, "hasCall" | "answer" | "mergedAudio"> {
  readonly hasCall: number;
  readonly answerType: string;
  readonly answerDurationMs: number;
  readonly answerBytes: number;
  readonly joinedType: string | null;
  readonly joinedDurationMs: number;
  readonly joinedBytes: number;
}

// octet_length() takes a column's size from the row header, without reading the column.
const COLUMNS = `e."callId", e."number", e."slug", e."publishedAt", e."updatedAt", e."title", e."description", e."keywords", e."callerName",
  ${IS_RECORDED_SQL} AS "hasCall", r."durationMs" AS "callDurationMs", w."contentType" AS "answerType", w."durationMs" AS "answerDurationMs", octet_length(w."audio") AS "answerBytes",
  e."joinedType", e."joinedDurationMs", octet_length(e."joinedAudio") AS "joinedBytes"`;
// The unary + keeps SQLite from using the index CallReview_queue, which sorts every published call:
// 140 ms with 10,000 of them. Checking the state is defense in depth: an episode always belongs to
// a published call.
const FROM = `FROM "Episode" e JOIN "CallReview" r ON r."callId" = e."callId" AND +r."state" = 'PUBLISHED' JOIN "Call" c ON c."id" = e."callId" JOIN "CallAnswer" w ON w."callId" = e."callId"`;

function toEpisode({
  hasCall,
  answerType,
  answerDurationMs,
  answerBytes,
  joinedType,
  joinedDurationMs,
  joinedBytes,
  ...row
}: EpisodeRow): Episode {
  return {
    ...row,
    hasCall: hasCall === 1,
    answer: { contentType: answerType, durationMs: answerDurationMs, sizeBytes: answerBytes },
    mergedAudio:
      joinedType === null
        ? null
        : { contentType: joinedType, durationMs: joinedDurationMs, sizeBytes: joinedBytes },
  };
}

/** Returns at most `limit` episodes after the first `skip`, newest first. */
export function listEpisodes(
  tx: Tx,
  { limit, skip = 0 }: { limit: number; skip?: number },
): Episode[] {
  return sqlOf(tx)
    .all<EpisodeRow>(
      `SELECT ${COLUMNS} ${FROM} ORDER BY e."number" DESC LIMIT ? OFFSET ?`,
      limit,
      skip,
    )
    .map(toEpisode);
}

export function countEpisodes(tx: Tx): number {
  return sqlOf(tx).get<{ count: number }>(`SELECT COUNT(*) AS "count" ${FROM}`)?.count ?? 0;
}

/** Returns slugs and times of the last change (ms) for the sitemap, newest first. */
export function listSitemapEpisodes(tx: Tx, limit = 10_000): { slug: string; updatedAt: number }[] {
  return sqlOf(tx).all(
    `SELECT e."slug", e."updatedAt" ${FROM} ORDER BY e."number" DESC LIMIT ?`,
    limit,
  );
}

/** Returns an episode with its transcript and neighbors, or null. */
export function findEpisode(
  tx: Tx,
  slug: string,
):
  | (Episode & { transcript: string; previous: EpisodeLink | null; next: EpisodeLink | null })
  | null {
  const row = sqlOf(tx).get<EpisodeRow & { transcript: string }>(
    `SELECT ${COLUMNS}, e."transcript" ${FROM} WHERE e."slug" = ?`,
    slug,
  );
  if (!row) return null;
  const { transcript, ...rest } = row;
  const findLink = (condition: string) =>
    sqlOf(tx).get<EpisodeLink>(
      `SELECT e."number", e."slug", e."title" ${FROM} WHERE ${condition} LIMIT 1`,
      row.number,
    ) ?? null;
  return {
    ...toEpisode(rest),
    transcript,
    previous: findLink(`e."number" < ? ORDER BY e."number" DESC`),
    next: findLink(`e."number" > ? ORDER BY e."number"`),
  };
}

export interface EpisodeLink {
  readonly number: number;
  readonly slug: string;
  readonly title: string;
}

// A player requests many ranges of a file. Each request checks that the episode is published before
// it uses the cache.
const episodeAudioCache = new AudioCache(48_000_000, 10 * MINUTE_MS);

export type EpisodeAudioKind = "call" | "answer" | "episode";

/**
 * Returns an audio file of a published episode with its detected type, or null. `etag` changes with
 * the bytes.
 */
export function findEpisodeAudio(
  tx: Tx,
  slug: string,
  kind: EpisodeAudioKind,
): { bytes: Uint8Array; etag: string; sniffed: SniffedAudio; title: string } | null {
  const row = sqlOf(tx).get<{
    callId: string;
    title: string;
    answeredAt: number;
    publishedAt: number;
  }>(
    `SELECT e."callId", e."title", w."createdAt" AS "answeredAt", e."publishedAt" ${FROM} WHERE e."slug" = ?`,
    slug,
  );
  if (!row) return null;
  const readBlob = (query: string, changedAt: number) => {
    const etag = `${row.callId}-${kind}-${changedAt}`;
    const cached = episodeAudioCache.get(etag);
    if (cached) return cached;
    const bytes = sqlOf(tx).get<{ bytes: Uint8Array | null }>(query, row.callId)?.bytes;
    return bytes ? episodeAudioCache.add(etag, { bytes, etag }) : null;
  };
  const audio =
    kind === "call"
      ? findCallAudio(tx, row.callId)
      : kind === "answer"
        ? readBlob(`SELECT "audio" AS "bytes" FROM "CallAnswer" WHERE "callId" = ?`, row.answeredAt)
        : readBlob(
            `SELECT "joinedAudio" AS "bytes" FROM "Episode" WHERE "callId" = ?`,
            row.publishedAt,
          );
  const sniffed = audio && sniffAudio(audio.bytes);
  return audio && sniffed && { ...audio, sniffed, title: row.title };
}
