"use server";
// A server action that does nothing: what the framework takes for any.

import type { FormState } from "#lib/http/form-state.ts";

export async function nothing(previous: FormState, form: FormData): Promise<FormState> {
  return { ...previous, status: form.has("email") ? "done" : "refused" };
}
