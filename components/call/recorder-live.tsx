"use client";
// Shows a running recording: the clock, the waveform, pause, resume, stop.

import type { RecorderController } from "#lib/calls/client/recorder-controller.ts";
import type { LiveRecorderState } from "#lib/calls/client/recorder-types.ts";
import { formatDuration } from "#lib/core/format.ts";
import type { WrapAction } from "./recorder-idle.tsx";
import { LiveWaveform } from "./waveform.tsx";

const WARN_REMAINING_MS = 15_000;

export function RecorderLive({
  state: { phase, elapsedMs, maxMs, isQuiet },
  controller,
  act,
}: {
  state: LiveRecorderState;
  controller: RecorderController;
  act: WrapAction;
}) {
  const remainingMs = maxMs - elapsedMs;
  const isEnding = remainingMs <= WARN_REMAINING_MS;
  const remainingSeconds = Math.max(1, Math.ceil(remainingMs / 1_000));
  const recordingText = isEnding
    ? `Recording, ${formatDuration(remainingSeconds * 1_000, "spoken-position")} left`
    : "Recording";
  return (
    <>
      {/* Screen readers don't announce a timer: the live region announces the start, 30 and 10 seconds left, and the end. */}
      <p className="recorder-clock figures" role="timer" data-soon={isEnding || undefined}>
        <span>{formatDuration(elapsedMs, "position")}</span>{" "}
        <small>of {formatDuration(maxMs, "position")}</small>
      </p>
      <LiveWaveform subscribe={controller.subscribeToLevel} isFrozen={phase === "paused"} />
      <p className="recorder-state">
        <span
          className="recorder-dot"
          data-on={phase === "recording" || undefined}
          aria-hidden="true"
        />
        {phase === "paused" ? "Paused." : phase === "stopping" ? "Finishing…" : recordingText}
      </p>
      <div role="status">
        {isQuiet && phase === "recording" && (
          <p className="recorder-quiet">
            We can’t hear anything. Is the microphone muted, or another one selected?
          </p>
        )}
      </div>
      {phase !== "stopping" && (
        <div className="recorder-actions">
          {phase === "paused" ? (
            <button
              type="button"
              className="button button-record"
              data-first=""
              onClick={act(() => controller.resume())}
            >
              <span className="recorder-dot" aria-hidden="true" />
              Resume
            </button>
          ) : (
            <button
              type="button"
              className="button"
              data-first=""
              onClick={act(() => controller.pause())}
            >
              Pause
            </button>
          )}
          <button
            type="button"
            className="button button-main"
            onClick={act(() => controller.stop())}
          >
            Stop
          </button>
        </div>
      )}
    </>
  );
}
