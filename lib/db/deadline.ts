// A wait with an end.

import { AppError } from "../base/errors.ts";

/**
 * What `promise` gives, or AppError(unavailable) with `message` after `ms` milliseconds.
 * It only stops waiting; `onTimeout` must end the work itself.
 */
export async function within<T>(promise: Promise<T>, ms: number, message: string, onTimeout?: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onTimeout?.();
      reject(new AppError("unavailable", message, { retryAfterSeconds: 1 }));
    }, ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
