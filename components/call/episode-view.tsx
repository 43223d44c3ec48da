// What an episode says and plays: on its page, and for the admin before it is published.

import type { ReactNode } from "react";
import { CallPlayer } from "./call-player.tsx";

export interface PlayableAudio {
  readonly src: string;
  readonly durationMs: number | null;
}

export interface EpisodeContent {
  readonly description: string;
  readonly callerName: string;
  readonly keywords: readonly string[];
  readonly transcript: string;
  /** null: the question was typed. */
  readonly call: PlayableAudio | null;
  readonly answer: PlayableAudio;
  /** Both in one file, after an intro. */
  readonly mergedAudio: PlayableAudio | null;
}

/**
 * `ids` begins the ids of the players, which play in turn; `level` is of the headings: 3 for a preview, which is no landmark of its page; with `soundsFirst` what
 * will be one file stands where that will be. All texts are shown as they are: no markup.
 */
export function EpisodeView({
  content: { description, callerName, keywords, transcript, call, answer, mergedAudio },
  ids,
  level = 2,
  soundsFirst = false,
}: {
  content: EpisodeContent;
  ids: string;
  level?: 2 | 3;
  soundsFirst?: boolean;
}) {
  const Heading = `h${level}` as const;
  const part = (name: string, children: ReactNode) =>
    level === 2 ? (
      <section className="episode-part" aria-labelledby={`${ids}-${name}`}>
        {children}
      </section>
    ) : (
      <div className="episode-part">{children}</div>
    );
  const question = call && (
    <CallPlayer
      id={`${ids}-call`}
      next={`${ids}-answer`}
      src={call.src}
      durationMs={call.durationMs}
      label={`${callerName}’s question`}
    />
  );
  const answered = (
    <CallPlayer
      id={`${ids}-answer`}
      src={answer.src}
      durationMs={answer.durationMs}
      label="The answer"
    />
  );
  const isApart = !mergedAudio && !soundsFirst;
  return (
    <>
      {!mergedAudio && soundsFirst && (
        <div className="episode-part">
          {question}
          {answered}
        </div>
      )}
      {mergedAudio && (
        <div className="episode-part">
          <CallPlayer
            id={`${ids}-episode`}
            src={mergedAudio.src}
            durationMs={mergedAudio.durationMs}
            label={call ? "Question and answer" : "The answer"}
          />
          {question && (
            <details className="episode-apart">
              <summary>Question and answer, each by itself</summary>
              <div>
                {question}
                {answered}
              </div>
            </details>
          )}
        </div>
      )}
      {part(
        "asked",
        <>
          <Heading id={`${ids}-asked`}>{callerName} asks</Heading>
          <div className="episode-text episode-asked">
            <Paragraphs text={description} />
          </div>
          {isApart && question}
        </>,
      )}
      {isApart &&
        part(
          "said",
          <>
            <Heading id={`${ids}-said`}>The answer</Heading>
            {answered}
          </>,
        )}
      {transcript.trim() !== "" &&
        part(
          "words",
          <>
            <Heading id={`${ids}-words`}>Word by word</Heading>
            <div className="episode-text">
              <Paragraphs text={transcript} />
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

function Paragraphs({ text }: { text: string }) {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph, i) => <p key={i}>{paragraph.trim()}</p>);
}
