// Lists the member's passkeys on /me.

import { removePasskey, renamePasskey } from "./actions.ts";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
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
                  Added <Timestamp ms={createdAt.getTime()} day />,{" "}
                  {lastUsedAt === null ? (
                    "not used yet"
                  ) : (
                    <>
                      last used <Timestamp ms={lastUsedAt.getTime()} />
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
                    Removing it here stops it from working. Delete it on the device, too.
                  </p>
                  {/* Its form is below the list, so that its message stays after the row is removed. */}
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
