// Describes what an episode's buttons play, for the player.

import type { Program, Track } from "./client/listening.ts";
import type { Episode } from "./episodes.ts";
import { episodeArtPath, episodeAudioPath } from "./podcast-feed.ts";

interface PlayableAudio {
  readonly src: string;
  readonly durationMs: number | null;
}

export interface EpisodeAudio {
  /** null if the question was typed. */
  readonly call: PlayableAudio | null;
  readonly answer: PlayableAudio;
  /** Question and answer in one file, after an intro. */
  readonly mergedAudio: PlayableAudio | null;
}

export interface EpisodePrograms {
  /** The whole episode, from where the listener stopped. */
  readonly whole: Program;
  /** The merged file; null without one. */
  readonly merged: Program | null;
  /** The question and then the answer; null if it was typed. */
  readonly question: Program | null;
  readonly answer: Program;
}

export function episodePrograms(
  episode: Pick<Program, "title" | "href" | "image"> & { readonly callerName: string },
  { call, answer, mergedAudio }: EpisodeAudio,
): EpisodePrograms {
  const { callerName, ...about } = episode;
  const answerTrack: Track = { ...answer, label: "The answer" };
  const tracks = call
    ? [{ ...call, label: `${callerName}’s question` }, answerTrack]
    : [answerTrack];
  const merged = mergedAudio && [
    { ...mergedAudio, label: call ? "Question and answer" : "The answer" },
  ];
  return {
    whole: { ...about, tracks: merged ?? tracks },
    merged: merged && { ...about, tracks: merged, index: 0 },
    question: call && { ...about, tracks, index: 0 },
    answer: { ...about, tracks, index: tracks.length - 1 },
  };
}

/** Returns the programs of a published episode. */
export function publishedPrograms({ slug, title, callerName, ...episode }: Episode) {
  const { hasCall, callDurationMs, answer, mergedAudio } = episode;
  return episodePrograms(
    { title, callerName, href: `/calls/${slug}`, image: episodeArtPath(slug, 512) },
    {
      call: hasCall
        ? { src: episodeAudioPath(slug, "call", null), durationMs: callDurationMs }
        : null,
      answer: {
        src: episodeAudioPath(slug, "answer", answer.contentType),
        durationMs: answer.durationMs,
      },
      mergedAudio: mergedAudio && {
        src: episodeAudioPath(slug, "episode", mergedAudio.contentType),
        durationMs: mergedAudio.durationMs,
      },
    },
  );
}
