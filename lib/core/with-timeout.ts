// Adds a deadline to a promise.

import { AppError } from "./errors.ts";

/**
 * Returns the result of `promise`, or throws AppError(unavailable) with `message` after `ms`. The
 * work continues unless `onTimeout`, which gets that error, cancels it.
 */
export async function withTimeout<T>(
  promise: Promise<T>,
  ms: number,
  message: string,
  onTimeout?: (error: AppError) => void,
  retryAfterSeconds = 1,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new AppError("unavailable", message, { retryAfterSeconds });
      onTimeout?.(error);
      reject(error);
    }, ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
