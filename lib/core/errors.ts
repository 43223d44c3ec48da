// The one error vocabulary of the site, and the one function that turns it into HTTP.

const HTTP_STATUS_BY_CODE = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof HTTP_STATUS_BY_CODE;

/**
 * An error whose message may be shown to the person who caused it.
 * `field` names the input that is wrong; `retryAfterSeconds` goes with rate_limited and unavailable.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly field?: string;
  readonly retryAfterSeconds?: number;

  constructor(
    code: ErrorCode,
    message: string,
    options: { field?: string; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.field = options.field;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/**
 * True for an AppError, also one made by another copy of this module: middleware and pages are
 * bundled apart, so `instanceof` is not enough.
 */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return (
    error instanceof Error &&
    error.name === "AppError" &&
    "code" in error &&
    (code === undefined || error.code === code)
  );
}

/** HTTP status for an error: an AppError's own, 500 for anything else. */
export function httpStatusFor(error: unknown): number {
  return isAppError(error) ? HTTP_STATUS_BY_CODE[error.code] : 500;
}
