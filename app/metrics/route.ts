// GET /metrics: Prometheus metrics. 401 or 404 without access (lib/http/metrics-access.ts).

import { renderMetrics } from "#lib/core/metrics.ts";
import { refuseMetrics } from "#lib/http/metrics-access.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Response {
  const headers = {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",
    "cache-control": "no-store",
  };
  const status = refuseMetrics(request.headers);
  if (status === 404) return new Response("Not found\n", { status, headers });
  if (status === 401)
    return new Response("The metrics need a token.\n", {
      status,
      headers: { ...headers, "www-authenticate": "Bearer" },
    });
  return new Response(renderMetrics(), { headers });
}
