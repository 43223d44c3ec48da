// Defines the site's error codes and maps them to HTTP status codes.

const HTTP_STATUS_BY_CODE = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  timeout: 408,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof HTTP_STATUS_BY_CODE;

/**
 * An error whose message is safe to show to the user. `field` names the invalid input;
 * `retryAfterSeconds` is for rate_limited and unavailable.
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
 * Returns true for an AppError, with this `code` if given. Avoids `instanceof`, because each bundle
 * has its own copy of the class.
 */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return (
    error instanceof Error &&
    error.name === "AppError" &&
    "code" in error &&
    (code === undefined || error.code === code)
  );
}

/** Resolves to null instead of rejecting with AppError(not_found). */
export async function nullIfNotFound<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (isAppError(error, "not_found")) return null;
    throw error;
  }
}

/** Returns the HTTP status of an AppError's code; 500 for any other error. */
export function httpStatusFor(error: unknown): number {
  return isAppError(error) ? HTTP_STATUS_BY_CODE[error.code] : 500;
}
