"use client";
// What a step of a call came to, for as long as it is so.

import { FormMessage, useActionForm } from "#components/ui/action-form.tsx";

/** Inside an <ActionForm ownMessage>. `isSo` is false once a later step has overtaken what was done: then only a refusal is shown. */
export function TransitionMessage({ isSo, loginNext }: { isSo: boolean; loginNext: string }) {
  const { state } = useActionForm();
  if (state.status === "done" && !isSo) return <div role="status" />;
  return <FormMessage loginNext={loginNext} />;
}
