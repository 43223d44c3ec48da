// Replaces Next's response to a server action that failed before our code ran: expired, unreadable
// or cross-site.

import type { IncomingMessage } from "node:http";
import { MAX_CAPTURED_BYTES, renderExpiredActionPage } from "./expired-action-page.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { sanitizeUrl } from "./sanitize-url.ts";
import type { Replacement } from "./site-response.ts";

/** Set by Next if this build does not have the action. */
const ACTION_NOT_FOUND_HEADER = "x-nextjs-action-not-found";

/**
 * With JavaScript, the client detects the expired action by the header and keeps the form itself.
 */
const isFormWithoutScripts = ({ isServerAction, request }: PipelineContext) =>
  isServerAction && request.headers["next-action"] === undefined;

/** Pipeline step. Captures the body of a form in case its action has expired. */
export function captureFormBody(context: PipelineContext): void {
  if (isFormWithoutScripts(context)) context.request.captureBody(MAX_CAPTURED_BYTES);
}

/**
 * Returns the page for an expired action, a one-line error for a request that Next could not read,
 * or null.
 */
export function findActionReplacement(
  context: PipelineContext,
  status: number,
): Replacement | null {
  const { request, response } = context;
  if (isFormWithoutScripts(context) && response.getHeader(ACTION_NOT_FOUND_HEADER) === "1")
    return {
      status,
      contentType: "text/html; charset=utf-8",
      renderBody: () =>
        renderExpiredActionPage({
          body: request.capturedBody,
          contentType: request.headers["content-type"] ?? "",
          path: sanitizeUrl(request.url ?? "/"),
        }),
    };
  if (!context.isServerAction || status !== 500 || context.hasActionStarted) return null;
  const [refusedStatus, reason] = explainRefusal(request);
  return {
    status: refusedStatus,
    contentType: "text/plain; charset=utf-8",
    renderBody: () => `${reason}\n`,
  };
}

/** Returns the right status for errors of the client that Next reports as 500. */
function explainRefusal({ headers }: IncomingMessage): [status: number, reason: string] {
  if (headers.origin !== undefined && URL.parse(headers.origin)?.host !== headers.host)
    return [403, "This request didn't come from this site."];
  return [400, "This form can't be read."];
}
