"use client";
// The message of a form with one field: seen once, and always announced.

import { FormMessage, useActionForm } from "./action-form.tsx";

/** The form's message; where the same words stand beside `field` already, only for those who hear the page: the focus may never have left the field. */
export function FormMessageOnce({ field }: { field: string }) {
  const { state } = useActionForm();
  const isBeside = state.message !== null && state.errors[field] === state.message;
  return (
    <>
      <div role="alert" className="visually-hidden">
        {isBeside && state.message}
      </div>
      {!isBeside && <FormMessage />}
    </>
  );
}
