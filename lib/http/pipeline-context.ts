// Describes a request to the pipeline's steps as it arrived, before any step changed it.

import type { RequestContext } from "#lib/core/request-context.ts";
import type { SiteRequest, SiteResponse } from "./site-response.ts";

/**
 * Who reads the request's body: a handler that limits its size, Next (a server action), or no one.
 */
export type BodyReader = "handler" | "action" | "none";

export interface PipelineContext extends RequestContext {
  readonly request: SiteRequest;
  readonly response: SiteResponse;
  /** URL and method as the client sent them. */
  readonly requestedUrl: string;
  readonly requestedMethod: string;
  readonly bodyReader: BodyReader;
}

const HANDLERS_THAT_READ_BODIES =
  /^\/(reads|calls\/upload(\/[^/?]+){0,2}|api\/content-webhook|(login\/passkey|me\/passkeys)\/(options|verify)|internal\/cache)(\?|$)/;

function findBodyReader({ headers, method, url = "/" }: SiteRequest): BodyReader {
  if (HANDLERS_THAT_READ_BODIES.test(url)) return "handler";
  const isAction =
    method === "POST" &&
    (headers["next-action"] !== undefined ||
      headers["content-type"]?.includes("multipart/form-data"));
  return isAction ? "action" : "none";
}

export function createPipelineContext(
  request: SiteRequest,
  response: SiteResponse,
): PipelineContext {
  return {
    request,
    response,
    requestedUrl: request.url ?? "/",
    requestedMethod: request.method ?? "GET",
    bodyReader: findBodyReader(request),
    startedMs: performance.now(),
    beforeHeadHooks: [],
    serverTimings: [],
    sendFinal: response.sendFinal.bind(response),
  };
}
