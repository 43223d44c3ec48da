// Limits how often a client searches, because a search may take 40 ms of the event loop.

import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { readClientAddress } from "./client-address.ts";
import { clientKey } from "./client-key.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { refuseRequest } from "./refuse-request.ts";

/** Per minute. The palette searches while a reader types, and several readers share an address. */
const MAX_SEARCHES = 120;
const limiter = new RateLimiter(MAX_SEARCHES, MINUTE_MS);

/**
 * Pipeline step, after the URL is sanitized. Refuses a search (429) of a client that has searched
 * too often: on the search page, in the list of posts, in the palette, or through the Model Context
 * Protocol.
 */
export function limitSearches(context: PipelineContext): void {
  if (!isSearch(context.request)) return;
  try {
    consume(
      [[limiter, limiterKey(context.request)]],
      nowMs(),
      "Too many searches. Try again in a minute.",
    );
  } catch (error) {
    if (!isAppError(error)) throw error;
    refuseRequest(context, 429, error.message, {
      "retry-after": String(error.retryAfterSeconds),
    });
  }
}

/**
 * Returns the client's key, with a separate one for requests by other sites' pages: these must not
 * use up the limit of their visitors.
 */
function limiterKey(request: PipelineContext["request"]): string {
  const client = clientKey(readClientAddress(request));
  return /^(cross|same)-site$/.test(String(request.headers["sec-fetch-site"]))
    ? `${client} elsewhere`
    : client;
}

function isSearch({ method, url = "/" }: PipelineContext["request"]): boolean {
  const [path = "", ...query] = url.split("?");
  switch (decodeURIComponent(path)) {
    case "/mcp":
      return method === "POST";
    case "/blog":
    case "/search":
    case "/search/results":
      // A second question mark is part of the query.
      return new URLSearchParams(query.join("?")).getAll("q").some((q) => q !== "");
    default:
      return false;
  }
}
