// A wait with an end.

import { AppError } from "./errors.ts";

/**
 * What `promise` gives, or AppError(unavailable) with `message` after `ms` milliseconds.
 * It only stops waiting; `onTimeout`, which gets that error, must end the work itself.
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
