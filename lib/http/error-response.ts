// Converts AppErrors thrown by route handlers to HTTP responses.

import { isAppError, httpStatusFor } from "#lib/core/errors.ts";

/**
 * Returns the response of `fn`. Converts an AppError to JSON `{code, message, field}` if Accept
 * includes application/json, otherwise to plain text. Rethrows everything else, such as a replay.
 */
export async function withErrorResponse(
  request: { readonly headers: Headers },
  fn: () => Promise<Response>,
): Promise<Response> {
  try {
    return await fn();
  } catch (error) {
    if (!isAppError(error)) throw error;
    const headers = new Headers({ "cache-control": "no-store" });
    if (error.retryAfterSeconds !== undefined)
      headers.set("retry-after", String(error.retryAfterSeconds));
    const status = httpStatusFor(error);
    if (request.headers.get("accept")?.includes("application/json")) {
      return Response.json(
        { code: error.code, message: error.message, ...(error.field && { field: error.field }) },
        { status, headers },
      );
    }
    headers.set("content-type", "text/plain; charset=utf-8");
    return new Response(`${error.message}\n`, { status, headers });
  }
}
