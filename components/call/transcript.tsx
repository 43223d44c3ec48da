// Shows a transcript. Its times are links that play from there: without JavaScript, they open the
// file at that time (media fragments, w3.org/TR/media-frags).

import type { Program } from "#lib/calls/client/listening.ts";
import { groupCues, parseCues, splitParagraphs } from "#lib/calls/transcript.ts";
import { formatDuration } from "#lib/core/format.ts";

/** The timestamps belong to the starting track of `program`, which the button `playerId` plays. */
export function Transcript({
  transcript,
  program: { tracks, index = 0 },
  playerId,
}: {
  transcript: string;
  program: Program;
  playerId: string;
}) {
  const cues = parseCues(transcript);
  if (!cues) return <Paragraphs text={transcript} />;
  return groupCues(cues).map(({ startMs, speaker, text }, i, all) => (
    <p key={i} className="transcript-line">
      <a
        className="transcript-time figures"
        href={`${tracks[index]!.src}#t=${startMs / 1_000}`}
        data-plays={playerId}
        aria-label={`Play from ${formatDuration(startMs, "spoken-position")}`}
      >
        {formatDuration(startMs, "position")}
      </a>
      <span>
        {speaker && speaker !== all[i - 1]?.speaker && <strong>{speaker}: </strong>}
        {text}
      </span>
    </p>
  ));
}

/** Renders plain text, with a blank line between paragraphs. */
export function Paragraphs({ text }: { text: string }) {
  return splitParagraphs(text).map((paragraph, i) => <p key={i}>{paragraph}</p>);
}
