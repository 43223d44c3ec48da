"use client";
// Listens to what was recorded, before it is sent.

import { useEffect, useRef, useState } from "react";
import { formatDuration } from "#lib/core/format-duration.ts";
import {
  formatPosition,
  formatPositionSpoken,
  formatDurationSpoken,
} from "#lib/calls/client/format-time.ts";
import type { RecordedAudio } from "./use-recorder.ts";
import { Waveform } from "./waveform.tsx";

export function RecorderPlayer({
  recorded: { audio, durationMs, levels },
}: {
  recorded: RecordedAudio;
}) {
  const element = useRef<HTMLAudioElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [atMs, setAtMs] = useState(0);
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
    setAtMs(ms);
    if (element.current) element.current.currentTime = ms / 1_000;
  };

  return (
    <div className="recorder-player">
      {/* Our own length: a recorder does not write one into its file. */}
      <audio
        ref={element}
        preload="auto"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setAtMs(0)}
        onTimeUpdate={({ currentTarget }) =>
          setAtMs(Math.min(durationMs, currentTarget.currentTime * 1_000))
        }
        onError={({ currentTarget }) => currentTarget.getAttribute("src") && setFailed(true)}
      />
      <Waveform levels={levels} played={durationMs > 0 ? atMs / durationMs : 0} />
      <div className="recorder-seek">
        <button type="button" className="button" data-first="" onClick={toggle}>
          {isPlaying ? "Pause" : "Listen"}
        </button>
        <input
          type="range"
          aria-label="Position in the recording"
          min={0}
          max={Math.max(1, Math.round(durationMs))}
          step={100}
          value={Math.round(atMs)}
          aria-valuetext={`${formatPositionSpoken(atMs)} of ${formatDurationSpoken(durationMs)}`}
          onChange={({ currentTarget }) => seek(Number(currentTarget.value))}
        />
        <span className="figures muted">
          {formatPosition(atMs)} / {formatDuration(durationMs)}
        </span>
      </div>
      {hasFailed && (
        <p className="form-error">This browser can’t play the file. It can be sent all the same.</p>
      )}
    </div>
  );
}
