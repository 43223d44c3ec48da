// Closes a keep-alive connection if its request body was not fully read.

import type { RequestContext } from "#lib/core/request-context.ts";
import { hasBody } from "./body-limits.ts";

/** How long a client may keep sending the body after it has the response. */
const MAX_UNREAD_BODY_MS = 10_000;

const isBodyAborted = ({ request }: RequestContext) => request.destroyed && !request.complete;

/**
 * Pipeline step. If a handler aborted the body, Node stops reading from the connection but keeps it
 * open: a proxy's next request on it would hang for five seconds and then be reset. Otherwise the
 * rest of the body is discarded, for a limited time.
 */
export function closeAfterAbortedBody(context: RequestContext): void {
  const { request, response } = context;
  if (!hasBody(request.headers)) return;
  const { socket } = request;
  const closeIfAborted = () => {
    if (isBodyAborted(context) && response.writableFinished) socket.destroySoon();
  };
  const closeUnlessComplete = () => void (request.complete || socket.destroySoon());
  response.once("finish", () => {
    closeIfAborted();
    if (!request.complete) setTimeout(closeUnlessComplete, MAX_UNREAD_BODY_MS).unref();
  });
  request.once("close", closeIfAborted);
}

/** Head step. Tells the client that the connection will be closed. */
export function announceAbortedBody(context: RequestContext): void {
  if (isBodyAborted(context)) context.response.setHeader("connection", "close");
}
