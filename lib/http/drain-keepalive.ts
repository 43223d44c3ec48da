// While this process ends: its connections end with the requests that run on them. A proxy keeps them for a next request, and the server
// waits for the last of them: until its own keep-alive is over, or whoever sent the signal loses patience.

import type { Server, ServerResponse } from "node:http";

const CLOSE_IDLE_INTERVAL_MS = 250;

interface DrainState {
  isDraining: boolean;
  readonly servers: Set<Server>;
}

// One per process: this module is bundled more than once.
const shared = globalThis as { __lecternEnding?: DrainState };

/** To be called with each request before it is answered. */
export function drainKeepAlive(server: Server, response: ServerResponse): void {
  if (!shared.__lecternEnding) {
    const state: DrainState = (shared.__lecternEnding = { isDraining: false, servers: new Set() });
    process.once("SIGTERM", () => {
      state.isDraining = true;
      // Those whose answer had begun said nothing of an end.
      setInterval(
        () => state.servers.forEach((each) => each.closeIdleConnections()),
        CLOSE_IDLE_INTERVAL_MS,
      ).unref();
    });
  }
  shared.__lecternEnding.servers.add(server);
  // Says "connection: close", so that nobody sends another request on it.
  if (shared.__lecternEnding.isDraining) response.shouldKeepAlive = false;
}
