// Responds with 405 if a page is requested with a method other than GET or HEAD, and no form was handled.

import type { PipelineContext } from "./pipeline-context.ts";
import type { Replacement } from "./site-response.ts";

/**
 * Returns the response to a request that Next answered with a page although nothing handled its
 * method, or null.
 */
export function findPageMethodReplacement(
  { requestedMethod, hasActionStarted, response }: PipelineContext,
  status: number,
): Replacement | null {
  if (requestedMethod === "GET" || requestedMethod === "HEAD") return null;
  if (status !== 200 || hasActionStarted) return null;
  if (!String(response.getHeader("content-type")).startsWith("text/html")) return null;
  return {
    status: 405,
    contentType: "text/plain; charset=utf-8",
    headers: { allow: "GET, HEAD" },
    renderBody: () => "This is a page: use GET or HEAD.\n",
  };
}
