// The raw HTTP request and response behind whatever code is running, for what Next does not hand on:
// the peer's address now, a replay that must leave from anywhere later.

import { AsyncLocalStorage } from "node:async_hooks";
import diagnostics from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { guard } from "./request-guard.ts";

export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Set by the wrapper of every action: what fails before it is a request that can't be read, not a fault of ours. */
  actionBegan?: boolean;
}

// One per process: instrumentation, middleware, pages and handlers are bundled apart.
const shared = globalThis as { __lecternRequests?: AsyncLocalStorage<RequestContext> };

/** Begins to remember the request of each asynchronous chain. Called once, before the server takes requests. */
export function followRequests(): void {
  if (shared.__lecternRequests) return;
  const store = new AsyncLocalStorage<RequestContext>();
  shared.__lecternRequests = store;
  diagnostics.subscribe("http.server.request.start", (message) => {
    guard(message as RequestContext);
    store.enterWith(message as RequestContext);
  });
}

/** The request this code serves; undefined outside a server, in tests and in background work. */
export function currentRequest(): RequestContext | undefined {
  return shared.__lecternRequests?.getStore();
}
