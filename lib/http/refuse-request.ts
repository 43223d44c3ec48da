// Responds to a request instead of Next, without a reset of the connection.

import type { OutgoingHttpHeaders } from "node:http";
import type { PipelineContext } from "./pipeline-context.ts";

/**
 * Sends a one-line error as the response, and discards the request's body. The connection stays
 * open for a while (closeAfterAbortedBody), because a reset could destroy the response on its way.
 */
export function refuseRequest(
  { request, response }: PipelineContext,
  status: number,
  message: string,
  headers: OutgoingHttpHeaders = {},
): void {
  request.discardBody();
  response.sendFinal(
    status,
    {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      ...headers,
    },
    `${message}\n`,
  );
}
