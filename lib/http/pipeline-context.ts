// Describes a request to the pipeline's steps as it arrived, before any step changed it.

import type { RequestContext } from "#lib/core/request-context.ts";
import { type BodyLimit, findBodyLimit, isActionLimit } from "./body-limits.ts";
import { type RouteLabel, labelRoute } from "./route-labels.ts";
import { sanitizeUrl } from "./sanitize-url.ts";
import type { SiteRequest, SiteResponse } from "./site-response.ts";

export interface PipelineContext extends RequestContext {
  readonly request: SiteRequest;
  readonly response: SiteResponse;
  /** URL and method as the client sent them. */
  readonly requestedUrl: string;
  readonly requestedMethod: string;
  /** The URL that Next gets, unless a redirect or a content address replaces it. */
  readonly sanitizedUrl: string;
  readonly bodyLimit: BodyLimit;
  readonly isServerAction: boolean;
  readonly requestedRoute: RouteLabel;
  /** The route that shows an address of the content, if that is another path. */
  route?: RouteLabel;
  /** True if the redirects file says that a page was removed. */
  isGone?: boolean;
}

export function createPipelineContext(
  request: SiteRequest,
  response: SiteResponse,
): PipelineContext {
  const requestedUrl = request.url ?? "/";
  const requestedMethod = request.method ?? "GET";
  const sanitizedUrl = sanitizeUrl(requestedUrl);
  const bodyLimit = findBodyLimit({ method: requestedMethod, url: sanitizedUrl }, request.headers);
  return {
    request,
    response,
    requestedUrl,
    sanitizedUrl,
    requestedMethod,
    requestedRoute: labelRoute(requestedUrl),
    bodyLimit,
    isServerAction: isActionLimit(bodyLimit),
    startedMs: performance.now(),
    beforeHeadHooks: [],
    serverTimings: [],
    sendFinal: response.sendFinal.bind(response),
  };
}
