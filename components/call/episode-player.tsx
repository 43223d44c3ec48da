// Renders a button that plays an episode in the sticky player. Without JavaScript, shows the
// browser's own player.

import type { Program } from "#lib/calls/client/listening.ts";
import { formatDuration } from "#lib/core/format.ts";
import { PlayPauseIcon } from "./play-pause-icon.tsx";

/** `id` is that of the button, for a transcript's timestamps. */
export function EpisodePlayer({ program, id }: { program: Program; id: string }) {
  const track = program.tracks[program.index ?? 0]!;
  return (
    <div className="player" role="group" aria-labelledby={`${id}-label`}>
      <audio src={track.src} controls preload="none" aria-labelledby={`${id}-label`} />
      <div className="player-head">
        <PlayButton program={program} id={id} />
        <span className="player-label" id={`${id}-label`}>
          {track.label}
          <span className="player-place" data-place="" />
        </span>
        {track.durationMs !== null && (
          <span className="player-time figures needs-script">
            {formatDuration(track.durationMs)}
          </span>
        )}
      </div>
    </div>
  );
}

/** The sticky player handles it and swaps its labels. `title` names what it plays, if nothing else does. */
export function PlayButton({
  program,
  id,
  title,
}: {
  program: Program;
  id?: string;
  title?: string;
}) {
  const suffix = title ? `: ${title}` : "";
  return (
    <button
      type="button"
      id={id}
      className="player-play needs-script"
      data-play={JSON.stringify(program)}
      data-other-label={`Pause${suffix}`}
      aria-label={`Play${suffix}`}
    >
      <PlayPauseIcon />
    </button>
  );
}
