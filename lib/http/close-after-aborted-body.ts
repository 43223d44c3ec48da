// A connection whose request was left in the middle of its body carries no other.

import type { RequestContext } from "#lib/core/request-context.ts";

/**
 * Ends the connection of a request whose body was given up before its end (a handler cancelled it), once it is answered, and says so in the answer.
 * Node reads nothing more from such a connection and keeps it all the same: the next request on it, another reader's where a proxy sends it,
 * would wait for five seconds and then be reset.
 */
export function closeAfterAbortedBody({
  request,
  response,
  beforeHeadHooks,
}: RequestContext): void {
  if (
    request.headers["transfer-encoding"] === undefined &&
    (request.headers["content-length"] ?? "0") === "0"
  )
    return;
  const { socket } = request;
  const isGivenUp = () => request.destroyed && !request.complete;
  const end = () => {
    if (isGivenUp() && response.writableFinished) socket.destroySoon();
  };
  beforeHeadHooks?.push(() => {
    if (isGivenUp()) response.setHeader("connection", "close");
  });
  response.once("finish", end);
  request.once("close", end);
}
