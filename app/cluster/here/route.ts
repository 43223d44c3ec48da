// GET /cluster/here: what the strip says on a page that came from a cache. Only in a cluster that shows itself; it names no machine.

import { readInstanceStatus } from "../../_site/here.ts";
import { env } from "#lib/base/env.ts";
import { isReplicated } from "#lib/litefs/instance.ts";

export const dynamic = "force-dynamic";

export function GET(): Response {
  const headers = { "cache-control": "no-store" };
  return env.CLUSTER_STRIP && isReplicated()
    ? Response.json(readInstanceStatus(), { headers })
    : new Response("Not found\n", { status: 404, headers });
}
