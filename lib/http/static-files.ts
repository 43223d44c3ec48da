// Gives refused requests for static files their status. Next has no page for these statuses, and
// responds with 500.

import type { PipelineContext } from "./pipeline-context.ts";
import { refuseRequest } from "./refuse-request.ts";
import type { Replacement } from "./site-response.ts";

const isStaticFile = ({ requestedRoute }: PipelineContext) => requestedRoute.kind === "static";

/** Pipeline step. */
export function refuseStaticFileMethod(context: PipelineContext): void {
  const { requestedMethod } = context;
  if (requestedMethod === "GET" || requestedMethod === "HEAD" || !isStaticFile(context)) return;
  refuseRequest(context, 405, "This is a file: use GET or HEAD.", { allow: "GET, HEAD" });
}

/**
 * Returns the response to a range or precondition that Next refused, or null. Next leaves the file's
 * size in Content-Range for a range.
 */
export function findStaticFileReplacement(
  context: PipelineContext,
  status: number,
): Replacement | null {
  if (status !== 500 || !isStaticFile(context)) return null;
  const { headers } = context.request;
  const replaceBy = (refusedStatus: number, reason: string): Replacement => ({
    status: refusedStatus,
    contentType: "text/plain; charset=utf-8",
    renderBody: () => `${reason}\n`,
  });
  if (context.response.hasHeader("content-range"))
    return replaceBy(416, "The file does not have this range.");
  if (headers["if-match"] !== undefined || headers["if-unmodified-since"] !== undefined)
    return replaceBy(412, "The file does not match the condition.");
  return null;
}
