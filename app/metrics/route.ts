// GET /metrics: Prometheus metrics. 404 without access (lib/http/metrics-access.ts).

import { renderMetrics } from "#lib/core/metrics.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { canReadMetrics } from "#lib/http/metrics-access.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Response {
  const headers = {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",
    "cache-control": "no-store",
  };
  if (!canReadMetrics(request.headers, currentRequestContext()))
    return new Response("Not found\n", { status: 404, headers });
  return new Response(renderMetrics(), { headers });
}
