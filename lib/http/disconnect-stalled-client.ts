// Disconnects clients that stop reading a response.

import type { PipelineContext } from "./pipeline-context.ts";
import { IDLE_TIMEOUT_MS } from "./stream-with-idle-timeout.ts";

/**
 * Pipeline step. Node lets a client that reads nothing keep its connection, and the file behind it,
 * forever. A response without bytes to send, such as an event stream, may wait longer.
 */
export function disconnectStalledClient({ request: { socket }, response }: PipelineContext): void {
  response.setTimeout(IDLE_TIMEOUT_MS, () => {
    if (socket.writableLength > 0) socket.destroy();
  });
}
