// The list of sessions on /me.

import { endOne, endOthers } from "./actions.ts";
import { FocusMessage } from "#components/member/focus-message.tsx";
import { Moment } from "#components/member/moment.tsx";
import { ActionForm, Submit } from "#components/ui/action-form.tsx";
import type { ListedSession } from "#lib/members/sessions.ts";

export function SessionRows({ sessions }: { sessions: readonly ListedSession[] }) {
  const others = sessions.filter(({ isThis }) => !isThis);
  return (
    <div className="me-list">
      <ActionForm action={endOne} loginNext="/me" className="me-list">
        <ul className="rows">
          {sessions.map(({ handle, device, place, begunAt, lastSeenAt, isThis }) => (
            <li className="row" key={handle}>
              <div className="row-what">
                <strong>
                  {device ?? "A device from before devices were noted"}
                  {place && `, near ${place}`}
                </strong>
                <small>
                  Logged in <Moment ms={begunAt} />
                  {lastSeenAt !== null && lastSeenAt > begunAt && (
                    <>
                      , last active <Moment ms={lastSeenAt} />
                    </>
                  )}
                </small>
              </div>
              {isThis ? (
                <span className="muted">This one</span>
              ) : (
                <Submit
                  kind="plain"
                  name="session"
                  value={handle}
                  aria-label={`End the session of ${device ?? "that device"}`}
                >
                  End
                </Submit>
              )}
            </li>
          ))}
        </ul>
        <FocusMessage />
      </ActionForm>
      <ActionForm action={endOthers} loginNext="/me" className="me-list">
        {others.length > 0 && (
          <div className="form-actions">
            <Submit kind="plain">End all others</Submit>
          </div>
        )}
        <FocusMessage />
      </ActionForm>
    </div>
  );
}
