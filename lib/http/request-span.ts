// Traces each request, and continues the trace of a replay on the instance that receives it.

import type { IncomingHttpHeaders } from "node:http";
import { env } from "#lib/core/env.ts";
import { findTelemetry } from "#lib/core/telemetry.ts";
import { parseReplayState } from "#lib/replication/replay-state.ts";
import type { PipelineContext } from "./pipeline-context.ts";

/** Frequent requests whose duration doesn't matter. */
const UNTRACED_KINDS = new Set(["static", "health", "stream"]);

/**
 * Runs `fn` in the request's span, which ends with the response. Spans contain the route, but no
 * URL or query.
 */
export function traceRequest(context: PipelineContext, fn: () => void): void {
  const telemetry = findTelemetry();
  const { request, requestedRoute, response, requestedMethod: method } = context;
  if (!telemetry || UNTRACED_KINDS.has(requestedRoute.kind)) return fn();
  const attributes = { "http.request.method": method, "url.path": requestedRoute.path };
  const traceparent = findTraceparent(request.headers);
  telemetry.runInSpan(method, { kind: "server", attributes, traceparent }, (span) => {
    response.once("close", () => {
      const route = (context.route ?? requestedRoute).path;
      const status = response.sentStatus;
      span.rename(`${method} ${route}`);
      span.setAttributes({
        "http.route": route,
        "http.response.status_code": status,
        ...(context.requestId && { "lectern.request_id": context.requestId }),
        ...(context.isReplayedElsewhere && { "lectern.replayed": true }),
        ...(context.committedTxid !== undefined && { "lectern.txid": context.committedTxid }),
      });
      if (status >= 500) span.fail();
      span.end();
    });
    fn();
  });
}

/**
 * Returns the parent span of a replay; undefined for other requests. A visitor's own `traceparent`
 * is ignored: it could join someone's trace or decide what is sampled.
 */
function findTraceparent(headers: IncomingHttpHeaders): string | undefined {
  return env.TRUST_PROXY === "fly"
    ? parseReplayState(headers["fly-replay-src"])?.traceparent
    : undefined;
}
