// Answers requests that need no page before Next sees them, with the same handlers as Next's routes.
// docs/decisions/057-beacons-before-next.md

import { env } from "#lib/core/env.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { SECURITY_HEADERS } from "#lib/core/security-headers.ts";
import { peekSingleton, singleton } from "#lib/core/singleton.ts";
import { isReplay } from "#lib/replication/ensure-primary.ts";
import { parseCookies } from "./cookie-header.ts";
import { readRequestCookies } from "./cookies.ts";
import type { DirectHandler, DirectRequest, DirectResponse } from "./direct-request.ts";
import { createErrorResponse, withErrorResponse } from "./error-response.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { readBody } from "./read-body.ts";
import type { SiteRequest } from "./site-response.ts";

/** By method and path, such as "POST /reads". */
type DirectHandlers = Readonly<Record<string, DirectHandler>>;

const NAME = "direct-handlers";

/** Sets the handlers that serveDirectly() calls in this process. */
export function provideDirectHandlers(handlers: DirectHandlers): void {
  singleton(NAME, () => new Map(Object.entries(handlers)));
}

/** Returns `handler` as a Next route handler. */
export function toRouteHandler(handler: DirectHandler): (request: Request) => Promise<Response> {
  return (request) =>
    withErrorResponse(request, async () => {
      const { body, ...init } = await handler({
        url: request.url,
        headers: request.headers,
        findCookie: await readRequestCookies(),
        readBody: (maxBytes) => readBody(request, { maxBytes }),
      });
      return new Response(body, init);
    });
}

/**
 * Responds if one of the direct handlers serves the request, and returns whether it does. Call it
 * when the request's body is complete.
 */
export function serveDirectly(context: PipelineContext): boolean {
  const { method, url = "" } = context.request;
  const queryStart = url.indexOf("?");
  const path = queryStart < 0 ? url : url.slice(0, queryStart);
  const handlers = env.PAGE_CACHE && peekSingleton<Map<string, DirectHandler>>(NAME);
  const handler = handlers && handlers.get(`${method} ${path}`);
  if (!handler) return false;
  void respond(context, handler);
  return true;
}

async function respond({ request, response }: PipelineContext, handler: DirectHandler) {
  const direct = describeRequest(request);
  const answer = await handler(direct).catch((error: unknown) => findErrorResponse(direct, error));
  if (answer === null || response.headersSent || response.destroyed) return;
  const { status, headers, body } = answer;
  for (const name in SECURITY_HEADERS) response.setHeader(name, SECURITY_HEADERS[name]!);
  for (const name in headers) response.setHeader(name, headers[name]!);
  if (body !== null) response.setHeader("content-length", Buffer.byteLength(body));
  response.writeHead(status);
  response.end(body ?? undefined);
}

/** Returns the response to what a handler threw; null for a replay, which has already been sent. */
function findErrorResponse(request: DirectRequest, error: unknown): DirectResponse | null {
  if (isReplay(error)) return null;
  if (isAppError(error)) return createErrorResponse(request, error);
  log("error", "request.failed", { error });
  return { status: 500, headers: TEXT, body: "Internal Server Error\n" };
}

const TEXT = { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" };

function describeRequest(request: SiteRequest): DirectRequest {
  const { headers } = request;
  let cookies: ReadonlyMap<string, string> | undefined;
  return {
    url: request.url ?? "/",
    headers: {
      get(name) {
        const value = headers[name];
        return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
      },
    },
    findCookie: (name) => (cookies ??= parseCookies(headers.cookie ?? "")).get(name),
    readBody: async (maxBytes) => takeBody(request, maxBytes),
  };
}

/** Returns the body, which the pipeline has received completely. */
function takeBody(request: SiteRequest, maxBytes: number): Uint8Array {
  const body = (request.read() as Buffer | null) ?? Buffer.alloc(0);
  if (body.length > maxBytes)
    throw new AppError("too_large", `The body is larger than ${maxBytes} bytes.`);
  return body;
}
