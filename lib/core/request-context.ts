// Carries the raw HTTP request and response through AsyncLocalStorage, for what Next does not pass on: the client's
// address, replays from anywhere, the transaction that a request committed.

import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { singleton } from "./singleton.ts";

export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** When the request arrived (performance.now()). */
  readonly startedMs: number;
  /** Set by the wrapper of every action: an error before it is an unreadable request, not a bug. */
  hasActionStarted?: boolean;
  /** The newest transaction that this request committed. */
  committedTxid?: number;
  /** Set while writes are refused: the response becomes 503 with Retry-After. */
  retryAfterSeconds?: number;
  /** The request id of Fly's proxy, else a generated one. */
  requestId?: string;
  /** Further entries of Server-Timing, each `name;desc=…` or `name;dur=…`. */
  readonly serverTimings: string[];
  /** Milliseconds spent reading the database for this request. */
  databaseReadMs?: number;
  /** The request was replayed to another instance, which responds. */
  isReplayedElsewhere?: boolean;
  /** Run in order just before the head is sent: the last moment to set a header. */
  readonly beforeHeadHooks: (() => void)[];
  /** Sends this response now; whatever is written later is ignored. Does nothing once the head is sent. */
  readonly sendFinal: (status: number, headers: Record<string, string>, body: string) => void;
}

/** Returns the storage that all bundles share. components/post/static-html-registry.ts reads it by name. */
export const requestContextStorage = (): AsyncLocalStorage<RequestContext> =>
  singleton("request-context", () => new AsyncLocalStorage<RequestContext>());

/** Returns the context of the current request; undefined in tests and background work. */
export function currentRequestContext(): RequestContext | undefined {
  return requestContextStorage().getStore();
}

/** Runs `fn`, and what it starts, outside the current request. For background work that a request triggers. */
export function runOutsideRequest<T>(fn: () => T): T {
  return requestContextStorage().exit(fn);
}
