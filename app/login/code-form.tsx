// Renders the form for the six-digit code.

import { logInByCode } from "./actions.ts";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";

/** `token`: from a link opened in another browser. Without it, the code is checked against this browser's cookie. */
export function CodeForm({ token, next }: { token?: string; next?: string }) {
  return (
    <ActionForm action={logInByCode} className="form">
      {token !== undefined && <input type="hidden" name="token" value={token} />}
      {next !== undefined && <input type="hidden" name="next" value={next} />}
      <Field
        name="code"
        label="6-digit code"
        className="field code-field"
        type="text"
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        maxLength={12}
      />
      <SubmitButton>Log in</SubmitButton>
    </ActionForm>
  );
}
