"use client";
// Plays a recording, with speed, position and keyboard controls. Without JavaScript, shows the browser's own player.

import { type KeyboardEvent, useEffect, useId, useSyncExternalStore } from "react";
import {
  setPlaybackSpeed,
  stepSpeed,
  subscribeToSpeed,
  readPlaybackSpeed,
} from "#lib/calls/client/playback-speed.ts";
import { formatDuration } from "#lib/core/format.ts";
import { useIsHydrated } from "#components/ui/use-is-hydrated.ts";
import { PlayPauseIcon } from "./play-pause-icon.tsx";
import { SpeedSelect } from "./speed-select.tsx";
import { useAudioPlayback } from "./use-audio-playback.ts";

const JUMP_MS = 10_000;
const ARROW_MS = 5_000;

interface Props {
  readonly src: string;
  /** Names the player: "Ada’s question". */
  readonly label: string;
  /** As measured on the server, since MediaRecorder writes no duration into its files. */
  readonly durationMs?: number | null;
}

/**
 * Keyboard: Space plays and pauses, the arrows seek by five seconds, < and > change the speed.
 * Only one player on a page plays at a time. All share one remembered speed.
 */
export function CallPlayer({ src, label, durationMs = null }: Props) {
  const { audio, audioProps, isPlaying, hasFailed, positionMs, lengthMs, toggle, seek } =
    useAudioPlayback(durationMs);
  const labelId = useId();
  const isHydrated = useIsHydrated();
  const speed = useSyncExternalStore(subscribeToSpeed, readPlaybackSpeed, () => 1);

  useEffect(() => {
    if (!audio.current) return;
    audio.current.defaultPlaybackRate = speed;
    audio.current.playbackRate = speed;
  }, [audio, speed]);

  const pauseOthers = () => {
    for (const other of document.querySelectorAll("audio"))
      if (other !== audio.current) other.pause();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement)
      return;
    const isButton =
      event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
    if (event.key === " " && !isButton) toggle();
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft")
      seek(positionMs + (event.key === "ArrowRight" ? ARROW_MS : -ARROW_MS));
    else if (event.key === "<" || event.key === ">")
      setPlaybackSpeed(stepSpeed(speed, event.key === ">"));
    else return;
    event.preventDefault();
  };

  return (
    <div className="player" role="group" aria-labelledby={labelId} onKeyDown={onKeyDown}>
      <audio
        {...audioProps}
        src={src}
        controls
        preload="none"
        aria-labelledby={labelId}
        onPlay={(event) => {
          audioProps.onPlay?.(event);
          pauseOthers();
        }}
      />
      <div className="player-head">
        <button
          type="button"
          className="player-play needs-script"
          disabled={!isHydrated}
          onClick={toggle}
          data-playing={isPlaying ? "" : undefined}
          aria-label={isPlaying ? "Pause" : "Play"}
        >
          <PlayPauseIcon />
        </button>
        <span className="player-label" id={labelId}>
          {label}
        </span>
        <span className="player-time figures needs-script">
          {formatDuration(positionMs, "position")}
          {lengthMs > 0 && ` / ${formatDuration(lengthMs)}`}
        </span>
      </div>
      <input
        className="player-seek needs-script"
        type="range"
        aria-label="Position"
        aria-valuetext={
          formatDuration(positionMs, "spoken-position") +
          (lengthMs > 0 ? ` of ${formatDuration(lengthMs, "spoken-length")}` : "")
        }
        min={0}
        max={Math.max(1, lengthMs / 1_000)}
        step={0.1}
        value={Math.min(positionMs, Math.max(1_000, lengthMs)) / 1_000}
        disabled={lengthMs === 0}
        onChange={({ currentTarget }) => seek(Number(currentTarget.value) * 1_000)}
      />
      <div className="player-foot needs-script">
        <JumpButton ms={-JUMP_MS} onJump={(ms) => seek(positionMs + ms)} />
        <JumpButton ms={JUMP_MS} onJump={(ms) => seek(positionMs + ms)} />
        <label className="player-speed">
          <span>Speed</span>
          <SpeedSelect speed={speed} />
        </label>
      </div>
      {hasFailed && (
        <p className="player-failed" role="alert">
          We couldn’t play this recording.{" "}
          <a href={src} download>
            Download it instead
          </a>
          .
        </p>
      )}
    </div>
  );
}

function JumpButton({ ms, onJump }: { ms: number; onJump: (ms: number) => void }) {
  const seconds = Math.abs(ms) / 1_000;
  return (
    <button
      type="button"
      className="player-jump"
      title={`${ms < 0 ? "Back" : "Forward"} ${seconds} seconds`}
      onClick={() => onJump(ms)}
    >
      {ms < 0 ? "−" : "+"}
      {seconds} s
    </button>
  );
}
