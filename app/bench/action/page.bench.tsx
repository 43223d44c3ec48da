// The framework's floor for a form: an action that does nothing, on a page with nothing else. Part of bench builds only.

import { connection } from "next/server";
import { nothing } from "./actions.ts";
import { ActionForm, Field, SubmitButton } from "#components/ui/action-form.tsx";

export default async function Page() {
  await connection();
  return (
    <ActionForm action={nothing}>
      <Field name="email" label="Address" />
      <SubmitButton>Send</SubmitButton>
    </ActionForm>
  );
}
