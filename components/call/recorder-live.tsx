"use client";
// While it records: the clock, what the microphone hears, pause, go on, stop.

import { formatPosition, formatPositionSpoken } from "#lib/calls/client/format-time.ts";
import type { WrapAction } from "./recorder-idle.tsx";
import type { useRecorder } from "./use-recorder.ts";
import { LiveWaveform } from "./waveform.tsx";

const WARN_REMAINING_MS = 15_000;

export function RecorderLive({
  recorder,
  act,
  maxMs,
}: {
  recorder: ReturnType<typeof useRecorder>;
  act: WrapAction;
  maxMs: number;
}) {
  const { phase, elapsedMs, isQuiet, onLevel } = recorder;
  const leftMs = maxMs - elapsedMs;
  const isPaused = phase === "paused";
  return (
    <>
      {/* A timer is not read out by itself: the live region beside it says the start, 30 and 10 seconds left, and the end. */}
      <p
        className="recorder-clock figures"
        role="timer"
        data-soon={leftMs <= WARN_REMAINING_MS || undefined}
      >
        <span>{formatPosition(elapsedMs)}</span> <small>of {formatPosition(maxMs)}</small>
      </p>
      <LiveWaveform onLevel={onLevel} isHeld={isPaused} />
      <p className="recorder-state">
        <span
          className="recorder-dot"
          data-on={phase === "recording" || undefined}
          aria-hidden="true"
        />
        {isPaused
          ? "Paused. Nothing is heard until you go on."
          : phase === "ending"
            ? "Finishing…"
            : leftMs <= WARN_REMAINING_MS
              ? `Recording, ${formatPositionSpoken(Math.max(1_000, Math.ceil(leftMs / 1_000) * 1_000))} left`
              : "Recording"}
      </p>
      <div role="status">
        {isQuiet && !isPaused && (
          <p className="recorder-quiet">
            Nothing is heard. Is the microphone muted, or is another one chosen?
          </p>
        )}
      </div>
      {phase !== "ending" && (
        <div className="recorder-actions">
          {isPaused ? (
            <button
              type="button"
              className="button button-record"
              data-first=""
              onClick={act(recorder.goOn)}
            >
              <span className="recorder-dot" aria-hidden="true" />
              Go on
            </button>
          ) : (
            <button type="button" className="button" data-first="" onClick={act(recorder.pause)}>
              Pause
            </button>
          )}
          <button type="button" className="button button-main" onClick={act(recorder.stop)}>
            Stop
          </button>
        </div>
      )}
    </>
  );
}
