// How the handlers of reads answer: never stored by anybody, refusals as one plain sentence.

import { isAppError, statusFor } from "#lib/base/errors.ts";

/** What `fn` answers, or the refusal that it threw as an AppError. Anything else that is thrown goes on: a replay must. */
export async function answer(fn: () => Promise<Response>): Promise<Response> {
  try {
    return await fn();
  } catch (error) {
    if (!isAppError(error)) throw error;
    const headers = new Headers({ "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
    if (error.retryAfterSeconds !== undefined) headers.set("retry-after", String(error.retryAfterSeconds));
    return new Response(`${error.message}\n`, { status: statusFor(error), headers });
  }
}
