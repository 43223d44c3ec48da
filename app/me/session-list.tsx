// Lists the devices where the member is logged in, on /me.

import { revokeSession, revokeOtherSessions } from "./actions.ts";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import type { ListedSession } from "#lib/members/sessions.ts";

export function SessionList({ sessions }: { sessions: readonly ListedSession[] }) {
  const others = sessions.filter(({ isCurrent }) => !isCurrent);
  return (
    <div className="me-list">
      <ActionForm action={revokeSession} loginNext="/me" className="me-list">
        <ul className="rows">
          {sessions.map(({ handle, device, place, startedAtMs, lastSeenAtMs, isCurrent }) => (
            <li className="row" key={handle}>
              <div className="row-what">
                <strong>
                  {device ?? "Unknown device"}
                  {place && `, near ${place}`}
                </strong>
                <small>
                  Logged in <Timestamp ms={startedAtMs} />
                  {lastSeenAtMs !== null && lastSeenAtMs > startedAtMs && (
                    <>
                      , last active <Timestamp ms={lastSeenAtMs} />
                    </>
                  )}
                </small>
              </div>
              {isCurrent ? (
                <span className="muted">This device</span>
              ) : (
                <SubmitButton
                  kind="plain"
                  name="session"
                  value={handle}
                  aria-label={`Log out ${device ?? "unknown device"}`}
                >
                  Log out
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
            <SubmitButton kind="plain">Log out of all other devices</SubmitButton>
          </div>
        )}
        <FocusOnSuccess />
      </ActionForm>
    </div>
  );
}
