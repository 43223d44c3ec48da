"use client";
// Plays a recording: speed, position, keys. Without scripts it is the browser's own player.

import {
  type KeyboardEvent,
  useEffect,
  useId,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { formatDuration } from "#lib/core/format-duration.ts";
import {
  formatPosition,
  formatPositionSpoken,
  formatDurationSpoken,
} from "#lib/calls/client/format-time.ts";
import {
  PLAYBACK_SPEEDS,
  setPlaybackSpeed,
  stepSpeed,
  subscribeToSpeed,
  readPlaybackSpeed,
} from "#lib/calls/client/playback-speed.ts";

const JUMP_SECONDS = 10;
const ARROW_SECONDS = 5;

interface Props {
  readonly src: string;
  /** What is heard: "Ada’s question". Shown, and the name of the player. */
  readonly label: string;
  /** As measured on the server: a browser's recording doesn't say how long it is. */
  readonly durationMs?: number | null;
  /** The id of the audio element. */
  readonly id?: string;
  /** The id of the audio element that plays when this one has ended. */
  readonly next?: string;
  readonly speeds?: readonly number[];
}

/**
 * Space plays and pauses, the arrows move by five seconds, < and > change the speed, wherever the focus is in the player.
 * One player of a page plays at a time; the speed is the same for all and is remembered.
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
  const named = useId();
  const [isPlaying, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [measured, setMeasured] = useState<number | null>(null);
  const [hasFailed, setFailed] = useState(false);
  const speed = useSyncExternalStore(subscribeToSpeed, readPlaybackSpeed, () => 1);
  const length = durationMs !== null ? durationMs / 1000 : (measured ?? 0);

  useEffect(() => {
    if (!audio.current) return;
    audio.current.defaultPlaybackRate = speed;
    audio.current.playbackRate = speed;
  }, [speed]);

  const toggle = () => {
    const player = audio.current;
    if (!player) return;
    if (!player.paused) return player.pause();
    setFailed(false);
    player.play().catch((error: unknown) => {
      // Paused before it began: nothing is wrong.
      if (!(error instanceof DOMException) || error.name !== "AbortError") setFailed(true);
    });
  };
  const seek = (seconds: number) => {
    const to = Math.max(0, length > 0 ? Math.min(seconds, length) : seconds);
    setAt(to);
    if (audio.current) audio.current.currentTime = to;
  };
  const onPlay = () => {
    setPlaying(true);
    for (const other of document.querySelectorAll("audio"))
      if (other !== audio.current) other.pause();
  };
  const onEnded = () => {
    setAt(0);
    const following = next && document.getElementById(next);
    if (following instanceof HTMLAudioElement) void following.play().catch(() => {}); // its own player says what is wrong
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement)
      return;
    const isButton =
      event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
    if (event.key === " " && !isButton) toggle();
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft")
      seek(at + (event.key === "ArrowRight" ? ARROW_SECONDS : -ARROW_SECONDS));
    else if (event.key === "<" || event.key === ">")
      setPlaybackSpeed(stepSpeed(speed, event.key === ">"));
    else return;
    event.preventDefault();
  };

  return (
    <div className="player" role="group" aria-labelledby={named} onKeyDown={onKeyDown}>
      <audio
        ref={audio}
        id={id}
        src={src}
        controls
        preload="none"
        aria-labelledby={named}
        onPlay={onPlay}
        onPause={() => setPlaying(false)}
        onEnded={onEnded}
        onTimeUpdate={({ currentTarget }) => setAt(currentTarget.currentTime)}
        onDurationChange={({ currentTarget: { duration } }) =>
          setMeasured(Number.isFinite(duration) ? duration : null)
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
        <span className="player-label" id={named}>
          {label}
        </span>
        <span className="player-time figures needs-script">
          {formatPosition(at * 1000)}
          {length > 0 && ` / ${formatDuration(length * 1000)}`}
        </span>
      </div>
      <input
        className="player-seek needs-script"
        type="range"
        aria-label="Position"
        aria-valuetext={
          length > 0
            ? `${formatPositionSpoken(at * 1000)} of ${formatDurationSpoken(length * 1000)}`
            : formatPositionSpoken(at * 1000)
        }
        min={0}
        max={Math.max(1, length)}
        step={0.1}
        value={Math.min(at, Math.max(1, length))}
        disabled={length === 0}
        onChange={({ currentTarget }) => seek(Number(currentTarget.value))}
      />
      <div className="player-foot needs-script">
        <button type="button" className="player-jump" onClick={() => seek(at - JUMP_SECONDS)}>
          Back {JUMP_SECONDS} s
        </button>
        <button type="button" className="player-jump" onClick={() => seek(at + JUMP_SECONDS)}>
          Forward {JUMP_SECONDS} s
        </button>
        <label className="player-speed">
          <span>Speed</span>
          <select
            value={speed}
            onChange={({ currentTarget }) => setPlaybackSpeed(Number(currentTarget.value))}
          >
            {speeds.map((each) => (
              <option key={each} value={each}>
                {each}×
              </option>
            ))}
          </select>
        </label>
      </div>
      {hasFailed && (
        <p className="player-failed" role="alert">
          This browser can’t play the recording, or the connection broke.{" "}
          <a href={src}>Open the file</a>.
        </p>
      )}
    </div>
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
