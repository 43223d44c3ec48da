// GET /internal/status: returns this instance's status for signed requests of peers; 404 for others.

import { isInternalRequest } from "#lib/core/internal-request-signature.ts";
import { readNodeStatus } from "#lib/replication/node-status.ts";
import { getCatalogStatus } from "#lib/posts/catalog/site-catalog.ts";
import { STATUS_SIGNATURE_SUBJECT } from "#lib/replication/read-cluster.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Response {
  const headers = { "cache-control": "no-store" };
  if (!isInternalRequest(request.headers, STATUS_SIGNATURE_SUBJECT))
    return new Response("Not found\n", { status: 404, headers });
  return Response.json(
    { ...readNodeStatus(), contentVersion: getCatalogStatus().servedVersion },
    { headers },
  );
}
