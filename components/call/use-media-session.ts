// Shows the episode on the lock screen, and handles its controls and media keys.

import { useEffect } from "react";
import type { EpisodePlayback, PlaybackState } from "#lib/calls/client/episode-playback.ts";

export function useMediaSession(
  state: PlaybackState | null,
  playback: EpisodePlayback,
  { backMs, forwardMs }: { backMs: number; forwardMs: number },
): void {
  const program = state?.program;
  const label = state?.track.label;
  useEffect(() => {
    const session = navigator.mediaSession as MediaSession | undefined;
    if (!session || !program) return;
    session.metadata = new MediaMetadata({
      title: program.title,
      artist: label ?? "",
      artwork: [{ src: program.image, sizes: "512x512", type: "image/png" }],
    });
    const skip = (ms: number) => playback.seek((playback.getState()?.positionMs ?? 0) + ms);
    const handlers: Partial<Record<MediaSessionAction, MediaSessionActionHandler>> = {
      play: playback.toggle,
      pause: playback.toggle,
      seekbackward: () => skip(-backMs),
      seekforward: () => skip(forwardMs),
      seekto: ({ seekTime }) => playback.seek((seekTime ?? 0) * 1_000),
    };
    for (const [action, handler] of Object.entries(handlers))
      session.setActionHandler(action as MediaSessionAction, handler);
    return () => {
      session.metadata = null;
      for (const action of Object.keys(handlers))
        session.setActionHandler(action as MediaSessionAction, null);
    };
  }, [program, label, playback, backMs, forwardMs]);
}
