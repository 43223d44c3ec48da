// GET /readyz: readiness. 503 only for this instance's own problems.

import { checkReadiness } from "#lib/http/readiness.ts";

export const dynamic = "force-dynamic";

export async function GET(): Promise<Response> {
  const readiness = await checkReadiness();
  return Response.json(readiness, {
    status: readiness.ready ? 200 : 503,
    headers: { "cache-control": "no-store" },
  });
}
