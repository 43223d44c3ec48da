// Rewrites a request's URL before Next's router sees it: malformed paths, absolute URLs, oversized
// queries.

import type { RequestContext } from "#lib/core/request-context.ts";

/** Many times what a search with topics and a cursor needs. */
const MAX_QUERY_LENGTH = 2_000;
/**
 * Next parses repeated parameters in quadratic time: 7,000 of them blocked the process for 1.3 s.
 */
const MAX_PARAMETERS = 50;
/**
 * The pages that next.config.mjs rewrites to for requests without cookies, and Next's error page.
 * At their own addresses, caches would share the former with members, and keep the latter a year.
 * Next also serves a page at /_next/data/BUILD/PATH.json, which the steps that decide by path would
 * not recognize.
 */
const INTERNAL_PATH = /^[/\\]+(static|_global-error|_next[/\\]+data)([/\\.]|$)/i;
/** A path without a page, which gets the 404 page. */
export const NOT_FOUND_PATH = "/not-an-address";

/**
 * A fragment, or "." or ".." between slashes. Clients remove them before they send a request. Next
 * would, too, but after the steps that decide by path, such as the body limits.
 */
const UNRESOLVED = /#|[/\\](\.|%2e){1,2}([/\\]|$)/i;

/** Returns true for a well-formed path that clients may request. */
function isPublicPath(path: string): boolean {
  try {
    return !UNRESOLVED.test(path) && !INTERNAL_PATH.test(decodeURIComponent(path));
  } catch {
    return false;
  }
}

/**
 * Returns the path of an absolute URL (RFC 9112, 3.2.2). Next would redirect to that URL, an open
 * redirect.
 */
function pathOfAbsoluteUrl(url: string): string {
  const parsed = /^https?:\/\//i.test(url) ? URL.parse(url) : null;
  return parsed ? parsed.pathname.replace(/^\/*/, "/") + parsed.search : NOT_FOUND_PATH;
}

/**
 * Returns a path that Next can route, with its query truncated to MAX_QUERY_LENGTH and
 * MAX_PARAMETERS.
 */
export function sanitizeUrl(requestUrl: string): string {
  const url = requestUrl.startsWith("/") ? requestUrl : pathOfAbsoluteUrl(requestUrl);
  const queryStart = url.indexOf("?");
  const path = queryStart < 0 ? url : url.slice(0, queryStart);
  if (!isPublicPath(path)) return NOT_FOUND_PATH;
  if (queryStart < 0) return url;
  let query = url.slice(queryStart + 1, queryStart + 1 + MAX_QUERY_LENGTH);
  const parameters = query.split("&");
  if (parameters.length > MAX_PARAMETERS) query = parameters.slice(0, MAX_PARAMETERS).join("&");
  if (query.length === url.length - queryStart - 1) return url;
  // Truncation may have split a percent escape.
  return `${path}?${query.replace(/%[0-9a-f]?$/i, "")}`;
}

/**
 * Pipeline step. Sanitizes the request's URL. TRACE, which makes Next fail, becomes a GET of the
 * 404 page.
 */
export function sanitizeRequestUrl({
  request,
  sanitizedUrl,
}: RequestContext & { readonly sanitizedUrl: string }): void {
  const isTrace = request.method === "TRACE";
  if (isTrace) request.method = "GET";
  request.url = isTrace ? NOT_FOUND_PATH : sanitizedUrl;
}
