"use client";
// Shows the progress of the upload, what it waits for, how to cancel it, and why it failed.

import { useEffect, useId, useRef } from "react";
import type { UploadState } from "#lib/calls/client/recorder-types.ts";
import { LOGGED_IN_EVENT, type UploadProgress } from "#lib/calls/client/uploader.ts";
import { formatBytes } from "#lib/core/format.ts";

function describeProgress(progress: UploadProgress): string {
  switch (progress.kind) {
    case "preparing":
      return "Preparing the recording…";
    case "sending":
      return "Uploading the recording…";
    case "offline":
      return "You’re offline. We’ll continue when you’re back.";
    case "waiting":
      return `Upload failed. Retrying in ${progress.seconds} s.`;
    case "unauthenticated":
      return "Your session has expired. Log in again in a new tab to continue here.";
  }
}

export function RecorderUpload({
  upload,
  onCancel,
}: {
  upload: UploadState;
  onCancel: () => void;
}) {
  switch (upload.step) {
    case "pending":
    case "running":
      return <UploadStatus upload={upload} onCancel={onCancel} />;
    case "failed":
      return <UploadFailure message={upload.message} />;
    default:
      return null;
  }
}

function UploadFailure({ message }: { message: string }) {
  const note = useRef<HTMLDivElement>(null);
  useEffect(() => note.current?.focus(), [message]);
  return (
    <div ref={note} className="form-message form-message-refused" role="alert" tabIndex={-1}>
      <p>{message}</p>
    </div>
  );
}

function UploadStatus({
  upload,
  onCancel,
}: {
  upload: Extract<UploadState, { step: "pending" | "running" }>;
  onCancel: () => void;
}) {
  const id = useId();
  const progress = upload.step === "running" ? upload.progress : null;
  const amount = progress && "totalBytes" in progress ? progress : null;
  const percent =
    amount && amount.totalBytes > 0 ? Math.round((amount.sentBytes / amount.totalBytes) * 100) : 0;
  return (
    <div className="recorder-sending" data-state={progress?.kind ?? "pending"}>
      <p id={id} role="status">
        {upload.step === "pending" ? upload.message : describeProgress(upload.progress)}
      </p>
      {amount && (
        <>
          <progress aria-labelledby={id} max={100} value={percent} />
          <p className="figures muted">
            {formatBytes(amount.sentBytes)} of {formatBytes(amount.totalBytes)}
          </p>
        </>
      )}
      <div className="recorder-actions">
        {progress?.kind === "unauthenticated" && (
          <>
            {/* A new tab, since this one holds the upload. */}
            <a className="button button-main" href="/login?next=/me" target="_blank" rel="noopener">
              Log in (opens a new tab)
            </a>
            <button
              type="button"
              className="button"
              onClick={() => dispatchEvent(new Event(LOGGED_IN_EVENT))}
            >
              Continue
            </button>
          </>
        )}
        <button type="button" className="button button-plain" onClick={onCancel}>
          Cancel upload
        </button>
      </div>
    </div>
  );
}
