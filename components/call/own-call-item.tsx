// A member's own call in their list: what it is, what became of it, hearing it, taking it back.

import type { ReactNode } from "react";
import { formatDurationSpoken } from "#lib/calls/client/format-time.ts";
import { CallPlayer } from "./call-player.tsx";
import { SubmitButton } from "#components/ui/action-form.tsx";
import { formatDuration } from "#lib/core/format-duration.ts";
import type { OwnCall } from "#lib/calls/own-calls.ts";

function CallStateText({
  call: { state, slug, declineReason, isRecorded },
}: {
  call: OwnCall;
}): ReactNode {
  switch (state) {
    case "NEW":
      return isRecorded ? "Waiting to be heard" : "Waiting to be read";
    case "REVIEWING":
      return "Being looked at";
    case "ANSWERED":
      return "Answered; it will be published soon";
    case "PUBLISHED":
      return slug ? (
        <>
          Published: <a href={`/calls/${slug}`}>listen to the answer</a>
        </>
      ) : (
        "Published"
      );
    case "DECLINED":
      return declineReason ? `Declined: ${declineReason}` : "Declined";
  }
}

/** `date` is the day it was left; `deleteForm` the id of the form whose action deletes the call that the button names. */
export function OwnCallItem({
  call,
  date,
  isNew,
  deleteForm,
}: {
  call: OwnCall;
  date: ReactNode;
  isNew: boolean;
  deleteForm: string;
}) {
  const { id, title, description, state, isRecorded, durationMs } = call;
  return (
    <li className="own-call" data-state={state} data-new={isNew || undefined}>
      <div className="own-call-what">
        <h2>{title}</h2>
        <p className="own-call-meta figures">
          {date}
          {" · "}
          {!isRecorded ? (
            "written"
          ) : durationMs === null ? (
            "spoken"
          ) : (
            <span aria-label={formatDurationSpoken(durationMs)} role="text">
              {formatDuration(durationMs)}
            </span>
          )}
        </p>
        <p className="own-call-state">
          <CallStateText call={call} />
        </p>
      </div>
      <div className="own-call-more">
        {isRecorded && (
          <CallPlayer
            src={`/calls/recording/${id}`}
            label="Your recording"
            durationMs={durationMs}
          />
        )}
        <p className="own-call-text">{description}</p>
        <details className="own-call-delete">
          <summary>
            Delete<span className="visually-hidden"> “{title}”</span>
          </summary>
          <div>
            <p>
              {state === "PUBLISHED"
                ? "The episode goes with it: its page, its answer and its place in the feed. "
                : state === "ANSWERED"
                  ? "Its answer goes with it. "
                  : ""}
              This can’t be undone.
            </p>
            <SubmitButton kind="danger" form={deleteForm} name="id" value={id}>
              Delete {state === "PUBLISHED" ? "call and episode" : "this call"}
            </SubmitButton>
          </div>
        </details>
      </div>
    </li>
  );
}
