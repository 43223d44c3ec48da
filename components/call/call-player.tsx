"use client";
// Plays a recording, with speed, position and keyboard control. Without JavaScript it is the browser's own player.

import {
  type KeyboardEvent,
  useEffect,
  useId,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import {
  PLAYBACK_SPEEDS,
  setPlaybackSpeed,
  stepSpeed,
  subscribeToSpeed,
  readPlaybackSpeed,
} from "#lib/calls/client/playback-speed.ts";
import { formatDuration } from "#lib/core/format.ts";

const JUMP_SECONDS = 10;
const ARROW_SECONDS = 5;

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
  readonly speeds?: readonly number[];
}

/**
 * Keyboard: Space plays and pauses, the arrows seek by five seconds, < and > change the speed.
 * Only one player on a page plays at a time. All share one remembered speed.
 */
export function CallPlayer({
  src,
  label,
  durationMs = null,
  id,
  next,
  speeds = PLAYBACK_SPEEDS,
}: Props) {
  const audio = useRef<HTMLAudioElement>(null);
  const labelId = useId();
  const [isPlaying, setPlaying] = useState(false);
  const [position, setPosition] = useState(0);
  const [measuredSeconds, setMeasuredSeconds] = useState<number | null>(null);
  const [hasFailed, setFailed] = useState(false);
  const speed = useSyncExternalStore(subscribeToSpeed, readPlaybackSpeed, () => 1);
  const duration = durationMs !== null ? durationMs / 1_000 : (measuredSeconds ?? 0);

  useEffect(() => {
    if (!audio.current) return;
    audio.current.defaultPlaybackRate = speed;
    audio.current.playbackRate = speed;
  }, [speed]);

  const toggle = () => {
    const element = audio.current;
    if (!element) return;
    if (!element.paused) return element.pause();
    setFailed(false);
    element.play().catch((error: unknown) => {
      // Paused before playback started.
      if (!(error instanceof DOMException) || error.name !== "AbortError") setFailed(true);
    });
  };
  const seek = (seconds: number) => {
    const target = Math.max(0, duration > 0 ? Math.min(seconds, duration) : seconds);
    setPosition(target);
    if (audio.current) audio.current.currentTime = target;
  };
  const onPlay = () => {
    setPlaying(true);
    for (const other of document.querySelectorAll("audio"))
      if (other !== audio.current) other.pause();
  };
  const onEnded = () => {
    setPosition(0);
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
      seek(position + (event.key === "ArrowRight" ? ARROW_SECONDS : -ARROW_SECONDS));
    else if (event.key === "<" || event.key === ">")
      setPlaybackSpeed(stepSpeed(speed, event.key === ">"));
    else return;
    event.preventDefault();
  };

  return (
    <div className="player" role="group" aria-labelledby={labelId} onKeyDown={onKeyDown}>
      <audio
        ref={audio}
        id={id}
        src={src}
        controls
        preload="none"
        aria-labelledby={labelId}
        onPlay={onPlay}
        onPause={() => setPlaying(false)}
        onEnded={onEnded}
        onTimeUpdate={({ currentTarget }) => setPosition(currentTarget.currentTime)}
        onDurationChange={({ currentTarget }) =>
          setMeasuredSeconds(
            Number.isFinite(currentTarget.duration) ? currentTarget.duration : null,
          )
        }
        onError={() => setFailed(true)}
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
          {formatDuration(position * 1_000, "position")}
          {duration > 0 && ` / ${formatDuration(duration * 1_000)}`}
        </span>
      </div>
      <input
        className="player-seek needs-script"
        type="range"
        aria-label="Position"
        aria-valuetext={
          duration > 0
            ? `${formatDuration(position * 1_000, "spoken-position")} of ${formatDuration(duration * 1_000, "spoken-length")}`
            : formatDuration(position * 1_000, "spoken-position")
        }
        min={0}
        max={Math.max(1, duration)}
        step={0.1}
        value={Math.min(position, Math.max(1, duration))}
        disabled={duration === 0}
        onChange={({ currentTarget }) => seek(Number(currentTarget.value))}
      />
      <div className="player-foot needs-script">
        <JumpButton seconds={-JUMP_SECONDS} onClick={() => seek(position - JUMP_SECONDS)} />
        <JumpButton seconds={JUMP_SECONDS} onClick={() => seek(position + JUMP_SECONDS)} />
        <label className="player-speed">
          <span>Speed</span>
          <select
            value={speed}
            onChange={({ currentTarget }) => setPlaybackSpeed(Number(currentTarget.value))}
          >
            {speeds.map((option) => (
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

function JumpButton({ seconds, onClick }: { seconds: number; onClick: () => void }) {
  const distance = Math.abs(seconds);
  return (
    <button
      type="button"
      className="player-jump"
      aria-label={`${seconds < 0 ? "Back" : "Forward"} ${distance} seconds`}
      onClick={onClick}
    >
      {seconds < 0 ? "−" : "+"}
      {distance} s
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
