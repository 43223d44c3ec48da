// Limits how many requests a connection may send without waiting for their responses (HTTP
// pipelining, RFC 9112, 9.3.2).

import type { Socket } from "node:net";
import type { PipelineContext } from "./pipeline-context.ts";

/** Browsers and proxies send one at a time. */
const MAX_CONCURRENT_REQUESTS = 16;

const requestCounts = new WeakMap<Socket, number>();

/**
 * Pipeline step. Closes a connection with too many requests in progress: Node starts all of them
 * immediately, and one packet of 1,500 requests blocked the process for 20 s.
 */
export function limitPipelining({ request: { socket }, response }: PipelineContext): void {
  const count = (requestCounts.get(socket) ?? 0) + 1;
  requestCounts.set(socket, count);
  if (count > MAX_CONCURRENT_REQUESTS) socket.destroy();
  else response.once("close", () => requestCounts.set(socket, requestCounts.get(socket)! - 1));
}
