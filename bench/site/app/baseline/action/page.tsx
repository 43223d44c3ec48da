// Renders a form whose server action does nothing: the framework's baseline for a form.

import { connection } from "next/server";
import { doNothing } from "./actions.ts";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";

export default async function Page() {
  await connection();
  return (
    <ActionForm action={doNothing}>
      <Field name="email" label="Address" />
      <SubmitButton>Send</SubmitButton>
    </ActionForm>
  );
}
