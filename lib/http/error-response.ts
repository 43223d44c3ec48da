// How handlers answer with an error: the one place that turns an AppError into a response.

import { isAppError, httpStatusFor } from "#lib/core/errors.ts";

/**
 * What `fn` answers, or the refusal that it threw as an AppError: as JSON `{code, message, field}` where the request accepts
 * JSON by name, else one plain sentence. Anything else that is thrown goes on: a replay must. Never stored by anybody.
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
