"use client";
// Plays a recording before it is sent.

import { useEffect, useRef, useState } from "react";
import type { RecordedAudio } from "#lib/calls/client/recorder-state.ts";
import { formatDuration } from "#lib/core/format.ts";
import { Waveform } from "./waveform.tsx";

export function RecorderPlayer({
  recorded: { audio, durationMs, levels },
}: {
  recorded: RecordedAudio;
}) {
  const element = useRef<HTMLAudioElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [positionMs, setPositionMs] = useState(0);
  const [hasFailed, setFailed] = useState(false);

  useEffect(() => {
    const player = element.current;
    if (!player) return;
    const url = URL.createObjectURL(audio);
    player.src = url;
    return () => {
      player.pause();
      player.removeAttribute("src");
      URL.revokeObjectURL(url);
    };
  }, [audio]);

  const toggle = () => {
    const player = element.current;
    if (!player) return;
    if (!player.paused) return player.pause();
    void player.play().catch((error: unknown) => {
      if (!(error instanceof DOMException) || error.name !== "AbortError") setFailed(true);
    });
  };
  const seek = (ms: number) => {
    setPositionMs(ms);
    if (element.current) element.current.currentTime = ms / 1_000;
  };

  return (
    <div className="recorder-player">
      {/* MediaRecorder writes no duration into its files: `durationMs` is measured. */}
      <audio
        ref={element}
        preload="auto"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setPositionMs(0)}
        onTimeUpdate={({ currentTarget }) =>
          setPositionMs(Math.min(durationMs, currentTarget.currentTime * 1_000))
        }
        onError={({ currentTarget }) => currentTarget.getAttribute("src") && setFailed(true)}
      />
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
