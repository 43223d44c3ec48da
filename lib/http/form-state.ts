// What a form shows after it was sent. Imported by the browser too: holds no logic.

import type { ErrorCode } from "#lib/core/errors.ts";

export interface FormState {
  readonly status: "new" | "done" | "refused";
  /** For the whole form: what was done, or why nothing was. */
  readonly message: string | null;
  readonly code: ErrorCode | null;
  /** What is wrong with each field, by its name. */
  readonly errors: Readonly<Record<string, string>>;
  /** What was sent, to stand in the fields again. */
  readonly values: Readonly<Record<string, string>>;
}

export const INITIAL_FORM_STATE: FormState = {
  status: "new",
  message: null,
  code: null,
  errors: {},
  values: {},
};
