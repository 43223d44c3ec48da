"use client";
// Plays a recording, with speed, position and keyboard controls. Without JavaScript, shows the browser's own player.

import { type KeyboardEvent, useEffect, useId, useSyncExternalStore } from "react";
import {
  PLAYBACK_SPEEDS,
  setPlaybackSpeed,
  stepSpeed,
  subscribeToSpeed,
  readPlaybackSpeed,
} from "#lib/calls/client/playback-speed.ts";
import { formatDuration } from "#lib/core/format.ts";
import { useAudioPlayback } from "./use-audio-playback.ts";

const JUMP_MS = 10_000;
const ARROW_MS = 5_000;

interface Props {
  readonly src: string;
  /** Names the player: "Ada’s question". */
  readonly label: string;
  /** As measured on the server, since MediaRecorder writes no duration into its files. */
  readonly durationMs?: number | null;
  /** The id of the audio element. */
  readonly id?: string;
  /** The id of the audio element to play next. */
  readonly next?: string;
}

/**
 * Keyboard: Space plays and pauses, the arrows seek by five seconds, < and > change the speed.
 * Only one player on a page plays at a time. All share one remembered speed.
 */
export function CallPlayer({ src, label, durationMs = null, id, next }: Props) {
  const { audio, audioProps, isPlaying, hasFailed, positionMs, lengthMs, toggle, seek } =
    useAudioPlayback(durationMs);
  const labelId = useId();
  const speed = useSyncExternalStore(subscribeToSpeed, readPlaybackSpeed, () => 1);

  useEffect(() => {
    if (!audio.current) return;
    audio.current.defaultPlaybackRate = speed;
    audio.current.playbackRate = speed;
  }, [audio, speed]);

  useEffect(() => {
    if (!id) return;
    // Plays from the time of a transcript's link, instead of opening the file there.
    const onClick = (event: MouseEvent) => {
      const link =
        event.target instanceof Element && event.target.closest<HTMLAnchorElement>("a[data-plays]");
      const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
      if (!link || link.dataset.plays !== id || !isPlain || !audio.current) return;
      event.preventDefault();
      audio.current.currentTime = Number(/#t=([\d.]+)/.exec(link.href)?.[1] ?? 0);
      // A failure is shown by the player.
      void audio.current.play().catch(() => {});
    };
    document.addEventListener("click", onClick);
    return () => document.removeEventListener("click", onClick);
  }, [audio, id]);

  const pauseOthers = () => {
    for (const other of document.querySelectorAll("audio"))
      if (other !== audio.current) other.pause();
  };
  const playNext = () => {
    const nextAudio = next && document.getElementById(next);
    // A failure is shown by its own player.
    if (nextAudio instanceof HTMLAudioElement) void nextAudio.play().catch(() => {});
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
        id={id}
        src={src}
        controls
        preload="none"
        aria-labelledby={labelId}
        onPlay={(event) => {
          audioProps.onPlay?.(event);
          pauseOthers();
        }}
        onEnded={(event) => {
          audioProps.onEnded?.(event);
          playNext();
        }}
      />
      <div className="player-head">
        <button
          type="button"
          className="player-play needs-script"
          onClick={toggle}
          aria-label={isPlaying ? "Pause" : "Play"}
        >
          <PlayPauseIcon isPlaying={isPlaying} />
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
          <select
            value={speed}
            onChange={({ currentTarget }) => setPlaybackSpeed(Number(currentTarget.value))}
          >
            {PLAYBACK_SPEEDS.map((option) => (
              <option key={option} value={option}>
                {option}×
              </option>
            ))}
          </select>
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

function PlayPauseIcon({ isPlaying }: { isPlaying: boolean }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width="20"
      height="20"
      fill="currentColor"
      aria-hidden="true"
      focusable="false"
    >
      {isPlaying ? (
        <path d="M5 3.5h3.6v13H5zM11.4 3.5H15v13h-3.6z" />
      ) : (
        <path d="M6 3.2v13.6L17 10z" />
      )}
    </svg>
  );
}
