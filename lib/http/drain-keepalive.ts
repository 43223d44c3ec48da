// Closes keep-alive connections during shutdown, because a proxy would keep them open for its next
// request.

import type { RequestContext } from "#lib/core/request-context.ts";
import type { SiteServer } from "./site-response.ts";

const CLOSE_IDLE_INTERVAL_MS = 250;

let isDraining = false;

/** Stops accepting connections, and resolves when the last running request has its response. */
export async function drainServer(server: SiteServer): Promise<void> {
  isDraining = true;
  // Responses whose head was sent before draining could not announce "connection: close".
  const timer = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_INTERVAL_MS);
  await new Promise((resolve) => server.close(resolve));
  clearInterval(timer);
}

/**
 * Pipeline step. Announces "connection: close", so that the client sends no further request on it.
 */
export function closeWhileDraining({ response }: RequestContext): void {
  if (isDraining) response.shouldKeepAlive = false;
}
