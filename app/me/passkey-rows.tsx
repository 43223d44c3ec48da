// The list of passkeys on /me.

import { removeOne, renameOne } from "./actions.ts";
import { FocusMessage } from "#components/member/focus-message.tsx";
import { Moment } from "#components/member/moment.tsx";
import { ActionForm, Field, Submit } from "#components/ui/action-form.tsx";
import type { ListedPasskey } from "#lib/members/passkeys.ts";

const REMOVE = "remove-passkey";

export function PasskeyRows({ passkeys }: { passkeys: readonly ListedPasskey[] }) {
  return (
    <div className="me-list">
      {passkeys.length > 0 && (
        <ul className="rows">
          {passkeys.map(({ id, name, createdAt, lastUsedAt }) => (
            <li className="row" key={id}>
              <div className="row-what">
                <strong>{name}</strong>
                <small>
                  Added <Moment ms={createdAt} day />,{" "}
                  {lastUsedAt === null ? (
                    "not used yet"
                  ) : (
                    <>
                      last used <Moment ms={lastUsedAt} />
                    </>
                  )}
                </small>
              </div>
              <details className="me-more">
                <summary aria-label={`Rename or remove ${name}`}>Rename or remove</summary>
                <div className="me-more-what">
                  <ActionForm action={renameOne} className="form" loginNext="/me">
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
                      <Submit kind="plain">Rename</Submit>
                    </div>
                  </ActionForm>
                  <p className="muted">
                    Removed here, it logs nobody in any more. The device keeps its half until you
                    delete it there.
                  </p>
                  {/* Its form is below the list: the message stays when the row has gone. */}
                  <button
                    type="submit"
                    form={REMOVE}
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
      <ActionForm action={removeOne} id={REMOVE} loginNext="/me">
        <FocusMessage />
      </ActionForm>
    </div>
  );
}
