// The raw HTTP request and response behind whatever code is running, for what Next does not hand on:
// the peer's address, a replay that must leave from anywhere, the transaction that a request committed.

import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { singleton } from "./singleton.ts";

export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** When the request arrived (performance.now()). */
  readonly startedMs: number;
  /** Set by the wrapper of every action: what fails before it is a request that can't be read, not a fault of ours. */
  actionBegan?: boolean;
  /** The newest transaction that this request committed. */
  committedTxid?: number;
  /** Set where nobody may write just now: the answer leaves as 503 with Retry-After in place of 200. */
  retryAfterSeconds?: number;
  /** What the log calls this request: Fly's id where its proxy is in front, else made here. */
  requestId?: string;
  /** What else Server-Timing says of this answer, each `name;desc=…` or `name;dur=…`. */
  readonly serverTimings: string[];
  /** Milliseconds spent reading the database for this request. */
  databaseReadMs?: number;
  /** The request has left for another instance: nobody here is answered any more. */
  isReplayedElsewhere?: boolean;
  /** Run in order just before the head of the response leaves: the last moment to set a header. */
  readonly beforeHeadHooks: (() => void)[];
  /** Sends this response now; whatever is written later is ignored. Does nothing once the head is sent. */
  readonly sendFinal: (status: number, headers: Record<string, string>, body: string) => void;
}

/** The storage that all bundles share. components/post/static-html-registry.ts reads it by name. */
export const requestContextStorage = (): AsyncLocalStorage<RequestContext> =>
  singleton("request-context", () => new AsyncLocalStorage<RequestContext>());

/** The request this code serves; undefined outside a server, in tests and in background work. */
export function currentRequestContext(): RequestContext | undefined {
  return requestContextStorage().getStore();
}

/** Runs `fn`, and what it starts, as work of nobody's request. For what a request only sets off. */
export function runOutsideRequest<T>(fn: () => T): T {
  return requestContextStorage().exit(fn);
}
