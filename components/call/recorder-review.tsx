"use client";
// Shows a finished or restored recording: play it, send it, or discard it after a confirmation.

import { useEffect, useRef, useState } from "react";
import { formatLocalTime } from "#lib/calls/client/format-time.ts";
import type { RecordedAudio } from "#lib/calls/client/recorder-types.ts";
import { formatBytes, formatDuration } from "#lib/core/format.ts";
import { RecorderPlayer } from "./recorder-player.tsx";

export function RecorderReview({
  recorded,
  onDiscard,
  isSending,
}: {
  recorded: RecordedAudio;
  onDiscard: () => void;
  isSending: boolean;
}) {
  const [isConfirming, setConfirming] = useState(false);
  const discardButton = useRef<HTMLButtonElement>(null);
  const { durationMs, fileName, restoredFromMs, audio } = recorded;
  const kind = fileName ? "file" : "recording";
  return (
    <>
      {restoredFromMs !== null ? (
        <RestoredNote {...{ recorded, kind, restoredFromMs }} />
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
      {isConfirming ? (
        <DiscardConfirmation
          kind={kind}
          onDiscard={onDiscard}
          onCancel={() => {
            setConfirming(false);
            // The button is rendered again in the next frame.
            requestAnimationFrame(() => discardButton.current?.focus());
          }}
        />
      ) : (
        <div className="recorder-actions">
          {restoredFromMs !== null && (
            <button type="submit" className="button" aria-disabled={isSending || undefined}>
              Send {kind}
            </button>
          )}
          <button
            ref={discardButton}
            type="button"
            className="button button-plain"
            aria-disabled={isSending || undefined}
            onClick={() => !isSending && setConfirming(true)}
          >
            {restoredFromMs !== null ? "Discard" : fileName ? "Choose another file" : "Re-record"}
          </button>
        </div>
      )}
    </>
  );
}

function RestoredNote({
  recorded: { durationMs, wasInterrupted },
  kind,
  restoredFromMs,
}: {
  recorded: RecordedAudio;
  kind: string;
  restoredFromMs: number;
}) {
  return (
    <div className="recorder-found" role="status">
      <p>
        <strong>
          You have an unsent {kind} (
          <span className="visually-hidden">{formatDuration(durationMs, "spoken-length")}</span>
          <span className="figures" aria-hidden="true">
            {formatDuration(durationMs)}
          </span>
          , {formatLocalTime(restoredFromMs, Date.now())}) saved on this device.
        </strong>{" "}
        {wasInterrupted &&
          "The page was closed while you were recording. We saved everything up to that point."}
      </p>
    </div>
  );
}

function DiscardConfirmation({
  kind,
  onDiscard,
  onCancel,
}: {
  kind: string;
  onDiscard: () => void;
  onCancel: () => void;
}) {
  const cancelButton = useRef<HTMLButtonElement>(null);
  useEffect(() => cancelButton.current?.focus(), []);
  return (
    <div className="recorder-ask" role="group" aria-label={`Discard this ${kind}?`}>
      <p>Discard this {kind}? This can’t be undone.</p>
      <div className="recorder-actions">
        <button ref={cancelButton} type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" className="button button-danger" onClick={onDiscard}>
          Discard
        </button>
      </div>
    </div>
  );
}
