// Shows a call in the list of its member: its state, its audio, and how to delete it.

import type { ReactNode } from "react";
import { CallPlayer } from "./call-player.tsx";
import { ConfirmDetails } from "#components/ui/confirm-details.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import type { OwnCall } from "#lib/calls/own-calls.ts";
import { formatDuration } from "#lib/core/format.ts";

function CallStateText({ call: { state, slug, declineReason } }: { call: OwnCall }): ReactNode {
  switch (state) {
    case "NEW":
      return "Received";
    case "REVIEWING":
      return "In review";
    case "ANSWERED":
      return "Answered. We’ll publish it soon.";
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

/** `date` is the day it was sent; `deleteForm` is the id of the form that deletes the call. */
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
            "Text"
          ) : durationMs === null ? (
            "Audio"
          ) : (
            <span aria-label={formatDuration(durationMs, "spoken-length")} role="text">
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
            src={`/calls/recording/${encodeURIComponent(id)}`}
            label="Your recording"
            durationMs={durationMs}
          />
        )}
        <p className="own-call-text">{description}</p>
        <ConfirmDetails
          summary={
            <>
              Delete<span className="visually-hidden"> “{title}”</span>
            </>
          }
        >
          <p>
            {state === "PUBLISHED"
              ? "Deleting this call also removes the episode. "
              : state === "ANSWERED"
                ? "Deleting this call also removes its answer. "
                : ""}
            This can’t be undone.
          </p>
          <SubmitButton kind="danger" form={deleteForm} name="id" value={id}>
            Delete {state === "PUBLISHED" ? "call and episode" : "this call"}
          </SubmitButton>
        </ConfirmDetails>
      </div>
    </li>
  );
}
