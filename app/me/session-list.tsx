// The list of sessions on /me.

import { revokeSession, revokeOtherSessions } from "./actions.ts";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { ActionForm, SubmitButton } from "#components/ui/action-form.tsx";
import type { ListedSession } from "#lib/members/sessions.ts";

export function SessionList({ sessions }: { sessions: readonly ListedSession[] }) {
  const others = sessions.filter(({ isCurrent }) => !isCurrent);
  return (
    <div className="me-list">
      <ActionForm action={revokeSession} loginNext="/me" className="me-list">
        <ul className="rows">
          {sessions.map(({ handle, device, place, begunAt, lastSeenAt, isCurrent }) => (
            <li className="row" key={handle}>
              <div className="row-what">
                <strong>
                  {device ?? "A device from before devices were noted"}
                  {place && `, near ${place}`}
                </strong>
                <small>
                  Logged in <Timestamp ms={begunAt} />
                  {lastSeenAt !== null && lastSeenAt > begunAt && (
                    <>
                      , last active <Timestamp ms={lastSeenAt} />
                    </>
                  )}
                </small>
              </div>
              {isCurrent ? (
                <span className="muted">This one</span>
              ) : (
                <SubmitButton
                  kind="plain"
                  name="session"
                  value={handle}
                  aria-label={`End the session of ${device ?? "that device"}`}
                >
                  End
                </SubmitButton>
              )}
            </li>
          ))}
        </ul>
        <FocusOnSuccess />
      </ActionForm>
      <ActionForm action={revokeOtherSessions} loginNext="/me" className="me-list">
        {others.length > 0 && (
          <div className="form-actions">
            <SubmitButton kind="plain">End all others</SubmitButton>
          </div>
        )}
        <FocusOnSuccess />
      </ActionForm>
    </div>
  );
}
