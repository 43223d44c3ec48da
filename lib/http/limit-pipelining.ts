// Limits how many requests a connection may send without waiting for their responses (HTTP
// pipelining, RFC 9112, 9.3.2).

import type { Socket } from "node:net";
import type { PipelineContext } from "./pipeline-context.ts";

/** Browsers and proxies send one at a time. */
const MAX_UNANSWERED = 16;

const unanswered = new WeakMap<Socket, number>();

/**
 * Pipeline step. Closes a connection with too many requests in progress: Node starts all of them at
 * once, and one packet of 1,500 requests blocked the process for 20 s.
 */
export function limitPipelining({ request: { socket }, response }: PipelineContext): void {
  const count = (unanswered.get(socket) ?? 0) + 1;
  unanswered.set(socket, count);
  if (count > MAX_UNANSWERED) socket.destroy();
  else response.once("close", () => unanswered.set(socket, unanswered.get(socket)! - 1));
}
