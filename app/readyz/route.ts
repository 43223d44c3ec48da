// GET /readyz: whether this instance may be sent readers. 503 for what is its own fault only.

import { checkReadiness } from "#lib/http/readiness.ts";

export const dynamic = "force-dynamic";

/** A Readiness as JSON. */
export async function GET(): Promise<Response> {
  const readiness = await checkReadiness();
  return Response.json(readiness, {
    status: readiness.ready ? 200 : 503,
    headers: { "cache-control": "no-store" },
  });
}
