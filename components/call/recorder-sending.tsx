"use client";
// How far the recording is on its way, what it waits for, and the way out.

import { useId } from "react";
import { formatBytes } from "#lib/calls/client/format-time.ts";
import { LOGGED_IN_EVENT } from "#lib/calls/client/uploader.ts";
import type { SubmissionState } from "./use-upload-before-submit.ts";

function describeSubmission(state: SubmissionState): string {
  switch (state.kind) {
    case "held":
      return state.text;
    case "preparing":
      return "Getting the recording ready…";
    case "sending":
      return "Sending the recording…";
    case "offline":
      return "You are offline. It goes on by itself when the connection is back; nothing is lost.";
    case "waiting":
      return `The server did not take it just now. Trying again in ${state.seconds} ${state.seconds === 1 ? "second" : "seconds"}.`;
    case "log-in":
      return "Your session has ended. Nothing is lost: log in again in a new tab, and it goes on here.";
  }
}

export function RecorderSending({
  state,
  onCancel,
}: {
  state: SubmissionState;
  onCancel: () => void;
}) {
  const id = useId();
  const amount = "totalBytes" in state ? state : null;
  const percent =
    amount && amount.totalBytes > 0 ? Math.round((amount.sentBytes / amount.totalBytes) * 100) : 0;
  return (
    <div className="recorder-sending" data-state={state.kind}>
      <p id={id} role="status">
        {describeSubmission(state)}
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
        {state.kind === "log-in" && (
          <>
            {/* Its own tab: this one holds what is on its way. */}
            <a className="button button-main" href="/login?next=/me" target="_blank" rel="noopener">
              Log in (opens a new tab)
            </a>
            <button
              type="button"
              className="button"
              onClick={() => dispatchEvent(new Event(LOGGED_IN_EVENT))}
            >
              I have logged in
            </button>
          </>
        )}
        <button type="button" className="button button-plain" onClick={onCancel}>
          Stop sending
        </button>
      </div>
    </div>
  );
}
