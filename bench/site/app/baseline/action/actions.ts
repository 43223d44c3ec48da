"use server";
// Accepts a form and does nothing with it.

import type { FormState } from "#lib/http/form-state.ts";

export async function doNothing(previous: FormState, form: FormData): Promise<FormState> {
  return { ...previous, status: form.has("email") ? "done" : "refused" };
}
