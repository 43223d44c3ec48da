// Shows an episode: on its page, and as a preview before it is published.

import type { ReactNode } from "react";
import type { EpisodePrograms } from "#lib/calls/episode-programs.ts";
import { EpisodePlayer } from "./episode-player.tsx";
import { Paragraphs, Transcript } from "./transcript.tsx";

export interface EpisodeContent {
  readonly description: string;
  readonly callerName: string;
  readonly keywords: readonly string[];
  readonly transcript: string;
  readonly programs: EpisodePrograms;
}

/**
 * `idPrefix` makes the ids of the players unique. `level` is that of the headings: 3 for a preview, whose parts are no landmarks.
 * `isAudioFirst` previews where the merged audio will be. All strings are plain text.
 */
export function EpisodeView({
  content: { description, callerName, keywords, transcript, programs },
  idPrefix,
  level = 2,
  isAudioFirst = false,
}: {
  content: EpisodeContent;
  idPrefix: string;
  level?: 2 | 3;
  isAudioFirst?: boolean;
}) {
  const Heading = `h${level}` as const;
  const part = (name: string, children: ReactNode) =>
    level === 2 ? (
      <section className="episode-part" aria-labelledby={`${idPrefix}-${name}`}>
        {children}
      </section>
    ) : (
      <div className="episode-part">{children}</div>
    );
  const { merged, question, answer } = programs;
  const questionPlayer = question && <EpisodePlayer id={`${idPrefix}-call`} program={question} />;
  const answerPlayer = <EpisodePlayer id={`${idPrefix}-answer`} program={answer} />;
  const isSeparate = !merged && !isAudioFirst;
  return (
    <>
      {!merged && isAudioFirst && (
        <div className="episode-part">
          {questionPlayer}
          {answerPlayer}
        </div>
      )}
      {merged && (
        <div className="episode-part">
          <EpisodePlayer id={`${idPrefix}-episode`} program={merged} />
          {questionPlayer && (
            <details className="episode-apart">
              <summary>Play question and answer separately</summary>
              <div>
                {questionPlayer}
                {answerPlayer}
              </div>
            </details>
          )}
        </div>
      )}
      {part(
        "asked",
        <>
          <Heading id={`${idPrefix}-asked`}>{callerName}’s question</Heading>
          <div className="episode-text episode-asked">
            <Paragraphs text={description} />
          </div>
          {isSeparate && questionPlayer}
        </>,
      )}
      {isSeparate &&
        part(
          "said",
          <>
            <Heading id={`${idPrefix}-said`}>The answer</Heading>
            {answerPlayer}
          </>,
        )}
      {transcript.trim() !== "" &&
        part(
          "words",
          <>
            <Heading id={`${idPrefix}-words`}>Transcript</Heading>
            <div className="episode-text">
              <Transcript
                transcript={transcript}
                program={merged ?? answer}
                playerId={`${idPrefix}-${merged ? "episode" : "answer"}`}
              />
            </div>
          </>,
        )}
      {keywords.length > 0 && (
        <ul className="episode-words" aria-label="Keywords">
          {keywords.map((word) => (
            <li key={word}>{word}</li>
          ))}
        </ul>
      )}
    </>
  );
}
