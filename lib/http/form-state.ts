// Describes what a form shows after it was sent. The browser imports it too.

import type { ErrorCode } from "#lib/core/errors.ts";

export interface FormState {
  readonly status: "new" | "done" | "refused";
  /** About the whole form. */
  readonly message: string | null;
  readonly code: ErrorCode | null;
  /** By field name. */
  readonly errors: Readonly<Record<string, string>>;
  /** What was sent, to fill the fields again. */
  readonly values: Readonly<Record<string, string>>;
}

export const INITIAL_FORM_STATE: FormState = {
  status: "new",
  message: null,
  code: null,
  errors: {},
  values: {},
};
