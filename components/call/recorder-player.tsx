"use client";
// Plays a recording before it is sent.

import { useEffect } from "react";
import type { RecordedAudio } from "#lib/calls/client/recorder-types.ts";
import { formatDuration } from "#lib/core/format.ts";
import { useAudioPlayback } from "./use-audio-playback.ts";
import { Waveform } from "./waveform.tsx";

export function RecorderPlayer({
  recorded: { audio: blob, durationMs, levels },
}: {
  recorded: RecordedAudio;
}) {
  const { audio, audioProps, isPlaying, hasFailed, positionMs, toggle, seek } =
    useAudioPlayback(durationMs);

  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    const url = URL.createObjectURL(blob);
    element.src = url;
    return () => {
      element.pause();
      element.removeAttribute("src");
      URL.revokeObjectURL(url);
    };
  }, [audio, blob]);

  return (
    <div className="recorder-player">
      <audio {...audioProps} preload="auto" />
      <Waveform levels={levels} played={durationMs > 0 ? positionMs / durationMs : 0} />
      <div className="recorder-seek">
        <button type="button" className="button" data-first="" onClick={toggle}>
          {isPlaying ? "Pause" : "Play"}
        </button>
        <input
          type="range"
          aria-label="Position in the recording"
          min={0}
          max={Math.max(1, Math.round(durationMs))}
          step={100}
          value={Math.round(positionMs)}
          aria-valuetext={`${formatDuration(positionMs, "spoken-position")} of ${formatDuration(durationMs, "spoken-length")}`}
          onChange={({ currentTarget }) => seek(Number(currentTarget.value))}
        />
        <span className="figures muted">
          {formatDuration(positionMs, "position")} / {formatDuration(durationMs)}
        </span>
      </div>
      {hasFailed && (
        <p className="form-error">Your browser can’t play this file. You can still send it.</p>
      )}
    </div>
  );
}
