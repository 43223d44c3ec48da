// Closes a keep-alive connection if its request body was not fully read.

import type { RequestContext } from "#lib/core/request-context.ts";

const isBodyAborted = ({ request }: RequestContext) => request.destroyed && !request.complete;

/**
 * Pipeline step. Node stops reading from such a connection but keeps it open. A proxy's next
 * request on it would hang for five seconds and then be reset.
 */
export function closeAfterAbortedBody(context: RequestContext): void {
  const { request, response } = context;
  if (
    request.headers["transfer-encoding"] === undefined &&
    (request.headers["content-length"] ?? "0") === "0"
  )
    return;
  const { socket } = request;
  const closeIfAborted = () => {
    if (isBodyAborted(context) && response.writableFinished) socket.destroySoon();
  };
  response.once("finish", closeIfAborted);
  request.once("close", closeIfAborted);
}

/** Head step. Tells the client that the connection will be closed. */
export function announceAbortedBody(context: RequestContext): void {
  if (isBodyAborted(context)) context.response.setHeader("connection", "close");
}
