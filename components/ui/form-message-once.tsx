"use client";
// Shows the message of a single-field form once, and always announces it.

import { FormMessage, useActionForm } from "./action-form.tsx";

/** If the error of `field` shows the same message, it is announced only to screen readers here. */
export function FormMessageOnce({ field }: { field: string }) {
  const { state } = useActionForm();
  const isShownByField = state.message !== null && state.errors[field] === state.message;
  return (
    <>
      <div role="alert" className="visually-hidden">
        {isShownByField && state.message}
      </div>
      {!isShownByField && <FormMessage />}
    </>
  );
}
