"use client";
// The message of a form with one field, once.

import { FormMessage, useForm } from "../ui/action-form.tsx";

/** The form's message, except where the same words stand beside `field` already: there the focus goes, and they are read out. */
export function MessageUnlessBeside({ field }: { field: string }) {
  const { state } = useForm();
  return state.message !== null && state.errors[field] === state.message ? null : <FormMessage />;
}
