// Published calls, as everybody may read and hear them.

import { MINUTE_MS } from "#lib/core/clock.ts";
import type { Sql } from "../db/connection.ts";
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
  /** As they were typed, with commas. */
  readonly keywords: string;
  readonly callerName: string;
  /** False: the question is the description, to be read. */
  readonly hasCall: boolean;
  /** null where a recording was never probed. */
  readonly callDurationMs: number | null;
  readonly answer: AudioFile;
  /** Intro, call and answer in one file, where ffmpeg made it. */
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

// Sizes by octet_length, which reads no sound.
const COLUMNS = `e."callId", e."number", e."slug", e."publishedAt", e."updatedAt", e."title", e."description", e."keywords", e."callerName",
  ${IS_RECORDED_SQL} AS "hasCall", r."durationMs" AS "callDurationMs", w."contentType" AS "answerType", w."durationMs" AS "answerDurationMs", octet_length(w."audio") AS "answerBytes",
  e."joinedType", e."joinedDurationMs", octet_length(e."joinedAudio") AS "joinedBytes"`;
// The + keeps SQLite from CallReview_queue: it would begin there, read every published call and sort them all, 140 ms with 10,000 of them.
// The state is asked for although an episode without it can't be: nothing that isn't published leaves by this door.
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

/** The newest first: at most `limit`, after the first `skip`. */
export function listEpisodes(
  sql: Sql,
  { limit, skip = 0 }: { limit: number; skip?: number },
): Episode[] {
  return sql
    .all<EpisodeRow>(
      `SELECT ${COLUMNS} ${FROM} ORDER BY e."number" DESC LIMIT ? OFFSET ?`,
      limit,
      skip,
    )
    .map(toEpisode);
}

export function countEpisodes(sql: Sql): number {
  return sql.get<{ count: number }>(`SELECT COUNT(*) AS "count" ${FROM}`)?.count ?? 0;
}

/** What a sitemap says: the slug and when it was changed last (ms), newest first. */
export function listSitemapEpisodes(
  sql: Sql,
  limit = 10_000,
): { slug: string; updatedAt: number }[] {
  return sql.all(`SELECT e."slug", e."updatedAt" ${FROM} ORDER BY e."number" DESC LIMIT ?`, limit);
}

/** One episode with its transcript and its neighbours; null where there is none. */
export function findEpisode(
  sql: Sql,
  slug: string,
):
  (Episode & { transcript: string; before: EpisodeLink | null; after: EpisodeLink | null }) | null {
  const row = sql.get<EpisodeRow & { transcript: string }>(
    `SELECT ${COLUMNS}, e."transcript" ${FROM} WHERE e."slug" = ?`,
    slug,
  );
  if (!row) return null;
  const { transcript, ...rest } = row;
  const link = (text: string) =>
    sql.get<EpisodeLink>(
      `SELECT e."number", e."slug", e."title" ${FROM} WHERE ${text} LIMIT 1`,
      row.number,
    ) ?? null;
  return {
    ...toEpisode(rest),
    transcript,
    before: link(`e."number" < ? ORDER BY e."number" DESC`),
    after: link(`e."number" > ? ORDER BY e."number"`),
  };
}

export interface EpisodeLink {
  readonly number: number;
  readonly slug: string;
  readonly title: string;
}

// A player asks for one sound in many ranges: reading megabytes for each would be a waste. Whether it is published is asked every time.
const episodeAudioCache = new AudioCache(48_000_000, 10 * MINUTE_MS);

export type EpisodeAudioKind = "call" | "answer" | "episode";

/** The sound of a published episode with the type that its bytes have; null where there is none of this kind. `etag` changes whenever the bytes do. */
export function findEpisodeAudio(
  sql: Sql,
  slug: string,
  kind: EpisodeAudioKind,
): { bytes: Uint8Array; etag: string; sniffed: SniffedAudio; title: string } | null {
  const row = sql.get<{ callId: string; title: string; answeredAt: number; publishedAt: number }>(
    `SELECT e."callId", e."title", w."createdAt" AS "answeredAt", e."publishedAt" ${FROM} WHERE e."slug" = ?`,
    slug,
  );
  if (!row) return null;
  const blob = (text: string, at: number) => {
    const etag = `${row.callId}-${kind}-${at}`;
    return episodeAudioCache.get(etag, () => {
      const bytes = sql.get<{ bytes: Uint8Array | null }>(text, row.callId)?.bytes;
      return bytes ? { bytes, etag } : null;
    });
  };
  const found =
    kind === "call"
      ? findCallAudio(sql, row.callId)
      : kind === "answer"
        ? blob(`SELECT "audio" AS "bytes" FROM "CallAnswer" WHERE "callId" = ?`, row.answeredAt)
        : blob(
            `SELECT "joinedAudio" AS "bytes" FROM "Episode" WHERE "callId" = ?`,
            row.publishedAt,
          );
  const sniffed = found && sniffAudio(found.bytes);
  return found && sniffed && { ...found, sniffed, title: row.title };
}
