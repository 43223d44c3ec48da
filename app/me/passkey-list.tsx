// The list of passkeys on /me.

import { removePasskey, renamePasskey } from "./actions.ts";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { ActionForm, Field, SubmitButton } from "#components/ui/action-form.tsx";
import type { ListedPasskey } from "#lib/members/passkeys.ts";

const REMOVE_FORM_ID = "remove-passkey";

export function PasskeyList({ passkeys }: { passkeys: readonly ListedPasskey[] }) {
  return (
    <div className="me-list">
      {passkeys.length > 0 && (
        <ul className="rows">
          {passkeys.map(({ id, name, createdAt, lastUsedAt }) => (
            <li className="row" key={id}>
              <div className="row-what">
                <strong>{name}</strong>
                <small>
                  Added <Timestamp ms={createdAt} day />,{" "}
                  {lastUsedAt === null ? (
                    "not used yet"
                  ) : (
                    <>
                      last used <Timestamp ms={lastUsedAt} />
                    </>
                  )}
                </small>
              </div>
              <details className="me-more">
                <summary aria-label={`Rename or remove ${name}`}>Rename or remove</summary>
                <div className="me-more-what">
                  <ActionForm action={renamePasskey} className="form" loginNext="/me">
                    <input type="hidden" name="id" value={id} />
                    <Field
                      name="name"
                      label="Name"
                      defaultValue={name}
                      autoComplete="off"
                      maxLength={200}
                      required
                    />
                    <div className="form-actions">
                      <SubmitButton kind="plain">Rename</SubmitButton>
                    </div>
                  </ActionForm>
                  <p className="muted">
                    Removed here, it logs nobody in any more. The device keeps its half until you
                    delete it there.
                  </p>
                  {/* Its form is below the list: the message stays when the row has gone. */}
                  <button
                    type="submit"
                    form={REMOVE_FORM_ID}
                    name="id"
                    value={id}
                    className="button button-danger"
                  >
                    Remove “{name}”
                  </button>
                </div>
              </details>
            </li>
          ))}
        </ul>
      )}
      <ActionForm action={removePasskey} id={REMOVE_FORM_ID} loginNext="/me">
        <FocusOnSuccess />
      </ActionForm>
    </div>
  );
}
