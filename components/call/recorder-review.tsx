"use client";
// After recording: listen, throw away and begin again. What was found from an earlier visit says so.

import { useEffect, useRef, useState } from "react";
import {
  formatBytes,
  formatDurationSpoken,
  formatLocalTime,
} from "#lib/calls/client/format-time.ts";
import { formatDuration } from "#lib/core/format-duration.ts";
import { RecorderPlayer } from "./recorder-player.tsx";
import type { RecordedAudio } from "./use-recorder.ts";

export function RecorderReview({
  recorded,
  onThrowAway,
  isSending,
}: {
  recorded: RecordedAudio;
  onThrowAway: () => void;
  isSending: boolean;
}) {
  const [isAsking, setAsking] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  const again = useRef<HTMLButtonElement>(null);
  const { durationMs, fileName, restoredFromMs, wasInterrupted, audio } = recorded;
  useEffect(() => {
    if (isAsking) keep.current?.focus();
  }, [isAsking]);

  const what = fileName ? "file" : "recording";
  return (
    <>
      {restoredFromMs !== null ? (
        <div className="recorder-found" role="status">
          <p>
            <strong>
              You have an unsent {what} of{" "}
              <span className="visually-hidden">{formatDurationSpoken(durationMs)}</span>
              <span className="figures" aria-hidden="true">
                {formatDuration(durationMs)}
              </span>{" "}
              from {formatLocalTime(restoredFromMs, Date.now())}.
            </strong>{" "}
            {wasInterrupted
              ? "The page was closed while you recorded; this is what was said until then."
              : "It was kept on this device."}{" "}
            Listen, send it, or throw it away.
          </p>
        </div>
      ) : (
        <p className="recorder-clock figures">
          <span>{formatDuration(durationMs)}</span> <small>{fileName ? "long" : "recorded"}</small>
        </p>
      )}
      {fileName && (
        <p className="recorder-file">
          {fileName} <span className="muted">{formatBytes(audio.size)}</span>
        </p>
      )}
      <RecorderPlayer recorded={recorded} />
      {isAsking ? (
        <div className="recorder-ask" role="group" aria-label={`Throw this ${what} away?`}>
          <p>Throw this {what} away? It can’t be brought back.</p>
          <div className="recorder-actions">
            <button
              ref={keep}
              type="button"
              className="button"
              onClick={() => {
                setAsking(false);
                // After the question is gone, the button that asked it is there again.
                requestAnimationFrame(() => again.current?.focus());
              }}
            >
              Keep it
            </button>
            <button type="button" className="button button-danger" onClick={onThrowAway}>
              Throw it away
            </button>
          </div>
        </div>
      ) : (
        <div className="recorder-actions">
          {restoredFromMs !== null && (
            <button type="submit" className="button" aria-disabled={isSending || undefined}>
              Send it
            </button>
          )}
          <button
            ref={again}
            type="button"
            className="button button-plain"
            aria-disabled={isSending || undefined}
            onClick={() => !isSending && setAsking(true)}
          >
            {restoredFromMs !== null ? "Throw away" : fileName ? "Take another" : "Record again"}
          </button>
        </div>
      )}
    </>
  );
}
