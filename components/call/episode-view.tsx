// Shows an episode: on its page, and as a preview before it is published.

import type { ReactNode } from "react";
import { CallPlayer } from "./call-player.tsx";
import { Paragraphs, Transcript } from "./transcript.tsx";

export interface PlayableAudio {
  readonly src: string;
  readonly durationMs: number | null;
}

export interface EpisodeContent {
  readonly description: string;
  readonly callerName: string;
  readonly keywords: readonly string[];
  readonly transcript: string;
  /** null if the question was typed. */
  readonly call: PlayableAudio | null;
  readonly answer: PlayableAudio;
  /** Question and answer in one file, after an intro. */
  readonly mergedAudio: PlayableAudio | null;
}

/**
 * `idPrefix` makes the ids of the players unique. `level` is that of the headings: 3 for a preview, whose parts are no landmarks.
 * `isAudioFirst` previews where the merged audio will be. All texts are plain text.
 */
export function EpisodeView({
  content: { description, callerName, keywords, transcript, call, answer, mergedAudio },
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
  const questionPlayer = call && (
    <CallPlayer
      id={`${idPrefix}-call`}
      next={`${idPrefix}-answer`}
      src={call.src}
      durationMs={call.durationMs}
      label={`${callerName}’s question`}
    />
  );
  const answerPlayer = (
    <CallPlayer
      id={`${idPrefix}-answer`}
      src={answer.src}
      durationMs={answer.durationMs}
      label="The answer"
    />
  );
  const isSeparate = !mergedAudio && !isAudioFirst;
  return (
    <>
      {!mergedAudio && isAudioFirst && (
        <div className="episode-part">
          {questionPlayer}
          {answerPlayer}
        </div>
      )}
      {mergedAudio && (
        <div className="episode-part">
          <CallPlayer
            id={`${idPrefix}-episode`}
            src={mergedAudio.src}
            durationMs={mergedAudio.durationMs}
            label={call ? "Question and answer" : "The answer"}
          />
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
                audio={
                  mergedAudio
                    ? { src: mergedAudio.src, playerId: `${idPrefix}-episode` }
                    : { src: answer.src, playerId: `${idPrefix}-answer` }
                }
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
