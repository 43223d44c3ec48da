// Describes a form's state after submission. Also imported by client components.

import type { ErrorCode } from "#lib/core/errors.ts";

export interface FormState {
  readonly status: "new" | "done" | "refused";
  /** Message about the whole form. */
  readonly message: string | null;
  readonly code: ErrorCode | null;
  /** Error messages by field name. */
  readonly errors: Readonly<Record<string, string>>;
  /** The submitted values, to refill the fields. */
  readonly values: Readonly<Record<string, string>>;
}

export const INITIAL_FORM_STATE: FormState = {
  status: "new",
  message: null,
  code: null,
  errors: {},
  values: {},
};
