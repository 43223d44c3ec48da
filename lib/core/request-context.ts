// Carries the raw HTTP request and response in AsyncLocalStorage, because Next doesn't pass them
// on. The client address, replays and committed transactions depend on them.

import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { singleton } from "./singleton.ts";

export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** When the request arrived (performance.now()). */
  readonly startedMs: number;
  /** Whether Next reads the body as a server action. */
  readonly isServerAction?: boolean;
  /** Set by every action's wrapper. An error before that means an unreadable request, not a bug. */
  hasActionStarted?: boolean;
  /** Set once the unreadable request is logged, because Next logs it several times. */
  isRefusalLogged?: boolean;
  /** The newest transaction that this request committed. */
  committedTxid?: number;
  /** Set while writes are refused: the response becomes 503 with Retry-After. */
  retryAfterSeconds?: number;
  /** Fly's request ID, or a generated one. */
  requestId?: string;
  /** Additional Server-Timing entries, each `name;desc=…` or `name;dur=…`. */
  readonly serverTimings: string[];
  /** Milliseconds spent reading the database for this request. */
  databaseReadMs?: number;
  /** True if the request was replayed to another instance, which sends the response. */
  isReplayedElsewhere?: boolean;
  /** Run in order just before the response head is sent, the last chance to set a header. */
  readonly beforeHeadHooks: (() => void)[];
  /**
   * Sends this response immediately; later writes are ignored. Does nothing once the head is sent.
   */
  readonly sendFinal: (status: number, headers: Record<string, string>, body: string) => void;
}

/**
 * Returns the storage that all bundles share. components/ui/static-html-registry.ts reads it by
 * name.
 */
export const requestContextStorage = (): AsyncLocalStorage<RequestContext> =>
  singleton("request-context", () => new AsyncLocalStorage<RequestContext>());

/** Returns the context of the current request; undefined in tests and background work. */
export function currentRequestContext(): RequestContext | undefined {
  return requestContextStorage().getStore();
}

/**
 * Runs `fn`, and everything it starts, outside the current request's context. For background work
 * that a request triggers.
 */
export function runOutsideRequest<T>(fn: () => T): T {
  return requestContextStorage().exit(fn);
}
