// Converts AppErrors thrown by route handlers to HTTP responses.

import { type AppError, isAppError, httpStatusFor } from "#lib/core/errors.ts";
import type { DirectResponse, HeaderReader } from "./direct-request.ts";

/** Returns JSON `{code, message, field}` if Accept includes application/json, otherwise plain text. */
export function createErrorResponse(
  { headers: requestHeaders }: { readonly headers: HeaderReader },
  error: AppError,
): DirectResponse {
  const { code, message, field, retryAfterSeconds } = error;
  const isJson = requestHeaders.get("accept")?.includes("application/json");
  return {
    status: httpStatusFor(error),
    headers: {
      "cache-control": "no-store",
      ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
      "content-type": isJson ? "application/json" : "text/plain; charset=utf-8",
    },
    body: isJson ? JSON.stringify({ code, message, ...(field && { field }) }) : `${message}\n`,
  };
}

/** Returns the response to HEAD. Next never reads its body, so an open file or a slot would leak. */
async function dropBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, response);
}

/**
 * Returns the response of `fn`, without a body for HEAD. Converts an AppError with
 * createErrorResponse(). Rethrows everything else, such as a replay.
 */
export async function withErrorResponse(
  request: { readonly headers: HeaderReader; readonly method?: string },
  fn: () => Promise<Response>,
): Promise<Response> {
  try {
    const response = await fn();
    return request.method === "HEAD" ? await dropBody(response) : response;
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { body, ...init } = createErrorResponse(request, error);
    return new Response(body, init);
  }
}
