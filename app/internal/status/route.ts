// GET /internal/status: what this instance says of itself to another one. Nobody else finds anything here.

import { isInternal } from "#lib/base/internal-call.ts";
import { nodeStatus } from "#lib/litefs/node-status.ts";
import { STATUS_CALL } from "#lib/primary/read-cluster.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Response {
  const headers = { "cache-control": "no-store" };
  if (!isInternal(request.headers, STATUS_CALL))
    return new Response("Not found\n", { status: 404, headers });
  return Response.json(nodeStatus(), { headers });
}
