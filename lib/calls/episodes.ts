// Reads published episodes, their audio and their neighbors.

import { MINUTE_MS } from "#lib/core/clock.ts";
import { cachedUntilChange } from "#lib/db/cached-until-change.ts";
import { type Prisma, type Tx, read } from "#lib/db/database.ts";
import { type SniffedAudio, sniffAudio } from "./audio/probe.ts";
import { findAudioSizes, readAnswerAudio, readMergedAudio } from "./audio-blobs.sql.ts";
import { AudioCache } from "./audio-cache.ts";
import { findCallAudio } from "./recording.ts";
import { findRecordedCallIds } from "./recording.sql.ts";
import type { TranscriptKind } from "./transcript.ts";

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
  /** False for a typed question; the description is then the question. */
  readonly hasCall: boolean;
  /** Null for a typed question, or a recording from the source site that was never probed. */
  readonly callDurationMs: number | null;
  readonly answer: AudioFile;
  /** Intro, call and answer in one file; null if they were not merged (no ffmpeg, or it failed). */
  readonly mergedAudio: AudioFile | null;
  readonly transcriptKind: TranscriptKind;
}

/** Returns a version that changes whenever an episode is published, changed or unpublished. */
export async function findEpisodesVersion(): Promise<string> {
  const { version } = await read((tx) =>
    cachedUntilChange(tx, "episodes-version", async () => {
      const { _count, _max } = await tx.episode.aggregate({
        where: IS_PUBLISHED,
        _count: true,
        _max: { updatedAt: true, number: true },
      });
      return { version: `${_count} ${_max.number} ${_max.updatedAt?.getTime()}` };
    }),
  );
  return version;
}

export interface AudioFile {
  readonly contentType: string;
  readonly durationMs: number;
  readonly sizeBytes: number;
}

// Checking the state is defense in depth: an episode always belongs to a published call.
export const IS_PUBLISHED = {
  call: { review: { state: "PUBLISHED" }, answer: { isNot: null } },
} satisfies Prisma.EpisodeWhereInput;

const EPISODE = {
  callId: true,
  number: true,
  slug: true,
  publishedAt: true,
  updatedAt: true,
  title: true,
  description: true,
  keywords: true,
  callerName: true,
  mergedType: true,
  mergedDurationMs: true,
  call: {
    select: {
      review: { select: { durationMs: true } },
      answer: { select: { contentType: true, durationMs: true } },
    },
  },
} satisfies Prisma.EpisodeSelect;

type EpisodeRow = Prisma.EpisodeGetPayload<{ select: typeof EPISODE }>;

/** Adds to each episode whether its call has a recording, the sizes of its files, and its transcript's kind. */
function toEpisodes(tx: Tx, rows: readonly EpisodeRow[]): Episode[] {
  const callIds = rows.map(({ callId }) => callId);
  const recordedIds = findRecordedCallIds(tx, callIds);
  const sizes = findAudioSizes(tx, callIds);
  return rows.flatMap(({ mergedType, mergedDurationMs, call: { review, answer }, ...row }) => {
    const size = sizes.get(row.callId);
    if (!answer || !size) return [];
    return {
      ...row,
      publishedAt: row.publishedAt.getTime(),
      updatedAt: row.updatedAt.getTime(),
      hasCall: recordedIds.has(row.callId),
      callDurationMs: review?.durationMs ?? null,
      transcriptKind: size.transcriptKind,
      answer: { ...answer, sizeBytes: size.answerBytes },
      mergedAudio:
        mergedType === null
          ? null
          : {
              contentType: mergedType,
              durationMs: mergedDurationMs ?? 0,
              sizeBytes: size.mergedBytes,
            },
    };
  });
}

/** Returns at most `limit` episodes after the first `skip`, newest first. */
export async function listEpisodes(
  tx: Tx,
  { limit, skip = 0 }: { limit: number; skip?: number },
): Promise<Episode[]> {
  const rows = await tx.episode.findMany({
    where: IS_PUBLISHED,
    orderBy: { number: "desc" },
    take: limit,
    skip,
    select: EPISODE,
  });
  return toEpisodes(tx, rows);
}

export function countEpisodes(tx: Tx): Promise<number> {
  return tx.episode.count({ where: IS_PUBLISHED });
}

/** Returns each episode's slug and last change for the sitemap, newest first. */
export function listSitemapEpisodes(tx: Tx): Promise<{ slug: string; updatedAt: Date }[]> {
  return tx.episode.findMany({
    where: IS_PUBLISHED,
    orderBy: { number: "desc" },
    take: 10_000,
    select: { slug: true, updatedAt: true },
  });
}

/** Returns an episode with its transcript and neighbors, or null. */
export async function findEpisode(
  tx: Tx,
  slug: string,
): Promise<
  (Episode & { transcript: string; previous: EpisodeLink | null; next: EpisodeLink | null }) | null
> {
  const row = await tx.episode.findUnique({
    where: { ...IS_PUBLISHED, slug },
    select: { ...EPISODE, transcript: true },
  });
  const [episode] = row ? toEpisodes(tx, [row]) : [];
  if (!row || !episode) return null;
  const findNeighbor = (number: { lt: number } | { gt: number }, order: "asc" | "desc") =>
    tx.episode.findFirst({
      where: { ...IS_PUBLISHED, number },
      orderBy: { number: order },
      select: { number: true, slug: true, title: true },
    });
  return {
    ...episode,
    transcript: row.transcript,
    previous: await findNeighbor({ lt: row.number }, "desc"),
    next: await findNeighbor({ gt: row.number }, "asc"),
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
export async function findEpisodeAudio(
  tx: Tx,
  slug: string,
  kind: EpisodeAudioKind,
): Promise<{ bytes: Uint8Array; etag: string; sniffed: SniffedAudio; title: string } | null> {
  const episode = await tx.episode.findUnique({
    where: { ...IS_PUBLISHED, slug },
    select: {
      callId: true,
      title: true,
      publishedAt: true,
      call: { select: { answer: { select: { createdAt: true } } } },
    },
  });
  if (!episode) return null;
  const { callId, title, publishedAt, call } = episode;
  const readCached = (readBytes: typeof readAnswerAudio, changedAt: Date | undefined) => {
    const etag = `${callId}-${kind}-${changedAt?.getTime()}`;
    const cached = episodeAudioCache.get(etag);
    if (cached) return cached;
    const bytes = readBytes(tx, callId);
    return bytes && episodeAudioCache.add(etag, { bytes, etag });
  };
  const audio =
    kind === "call"
      ? await findCallAudio(tx, callId)
      : kind === "answer"
        ? readCached(readAnswerAudio, call.answer?.createdAt)
        : readCached(readMergedAudio, publishedAt);
  const sniffed = audio && sniffAudio(audio.bytes);
  return audio && sniffed && { ...audio, sniffed, title };
}
