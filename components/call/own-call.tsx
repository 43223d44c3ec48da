// A member's own call in their list: what it is, what became of it, hearing it, taking it back.

import type { ReactNode } from "react";
import { clock, spoken } from "./length.ts";
import { Submit } from "#components/ui/action-form.tsx";
import type { OwnCall } from "#lib/calls/own-calls.ts";

function State({ call: { state, slug, declineReason } }: { call: OwnCall }): ReactNode {
  switch (state) {
    case "NEW":
      return "Waiting to be heard";
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

/** Stands in a form whose action deletes: the button sends the call's id. `date` is the day it was left. */
export function OwnCallItem({ call, date, isNew }: { call: OwnCall; date: ReactNode; isNew: boolean }) {
  const { id, title, description, state, isRecorded, durationMs } = call;
  const src = `/calls/recording/${id}`;
  return (
    <li className="own-call" data-state={state} data-new={isNew || undefined}>
      <div className="own-call-what">
        <h2 id={`call-${id}`}>{title}</h2>
        <p className="own-call-meta figures">
          {date}
          {" · "}
          {!isRecorded ? "typed" : durationMs === null ? "spoken" : <span aria-label={spoken(durationMs)} role="text">{clock(durationMs)}</span>}
        </p>
        <p className="own-call-state">
          <State call={call} />
        </p>
      </div>
      <div className="own-call-more">
        {isRecorded && <audio controls preload="none" src={src} aria-labelledby={`call-${id}`} />}
        <p className="own-call-text">{description}</p>
        <details className="own-call-delete">
          <summary>
            Delete<span className="visually-hidden"> “{title}”</span>
          </summary>
          <div>
            <p>
              {state === "PUBLISHED" ? "The episode goes with it: its page, its answer and its place in the feed. " : state === "ANSWERED" ? "Its answer goes with it. " : ""}
              This can’t be undone.
            </p>
            <Submit kind="danger" name="id" value={id}>
              Delete {state === "PUBLISHED" ? "call and episode" : "this call"}
            </Submit>
          </div>
        </details>
      </div>
    </li>
  );
}
