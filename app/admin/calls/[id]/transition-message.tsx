"use client";
// Shows the message of a form while it still applies.

import { FormMessage, useActionForm } from "#components/ui/action-form.tsx";

/**
 * Inside an <ActionForm ownMessage>. With `isCurrent` false, because the state has changed again,
 * only errors are shown.
 */
export function TransitionMessage({
  isCurrent,
  loginNext,
}: {
  isCurrent: boolean;
  loginNext: string;
}) {
  const { state } = useActionForm();
  if (state.status === "done" && !isCurrent) return <div role="status" />;
  return <FormMessage loginNext={loginNext} />;
}
