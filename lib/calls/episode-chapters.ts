// Derives the chapters of an episode: the question and the answer.

import type { Episode } from "./episodes.ts";
import { PAUSE_MS } from "./merge-audio.ts";

export interface Chapter {
  readonly startMs: number;
  readonly title: string;
}

/**
 * Returns where question and answer begin in the merged audio; none if it has only one part. The
 * parts are measured, so the answer begins its own length before the end.
 */
export function episodeChapters({
  callerName,
  hasCall,
  callDurationMs,
  answer,
  mergedAudio,
}: Pick<
  Episode,
  "callerName" | "hasCall" | "callDurationMs" | "answer" | "mergedAudio"
>): Chapter[] {
  if (!mergedAudio || !hasCall) return [];
  const answerMs = mergedAudio.durationMs - answer.durationMs;
  const isPlausible = answerMs > (callDurationMs ?? 0) + PAUSE_MS;
  if (!isPlausible) return [];
  return [
    { startMs: 0, title: `${callerName}’s question` },
    { startMs: answerMs, title: "The answer" },
  ];
}

/** Returns the chapters as podcasting2.org's JSON, version 1.2. */
export function formatChapters(chapters: readonly Chapter[]): string {
  return JSON.stringify({
    version: "1.2.0",
    chapters: chapters.map(({ startMs, title }) => ({
      startTime: Number((startMs / 1_000).toFixed(3)),
      title,
    })),
  });
}
