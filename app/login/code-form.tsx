// The field for the six digits of the mail.

import { logInByCode } from "./actions.ts";
import { FormMessageOnce } from "#components/ui/form-message-once.tsx";
import { ActionForm, Field, SubmitButton } from "#components/ui/action-form.tsx";

/** With `token` (of a link that was opened in another browser) the code goes with the link, else with this browser. */
export function CodeForm({ token, next }: { token?: string; next?: string }) {
  return (
    <ActionForm action={logInByCode} className="form" ownMessage>
      {token !== undefined && <input type="hidden" name="token" value={token} />}
      {next !== undefined && <input type="hidden" name="next" value={next} />}
      <Field
        name="code"
        label="The code in the mail"
        hint="Six digits."
        className="field code-field"
        type="text"
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        maxLength={12}
      />
      <SubmitButton>Log in</SubmitButton>
      <FormMessageOnce field="code" />
    </ActionForm>
  );
}
