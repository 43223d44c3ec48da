// GET /cluster/here: returns the instance banner of a static page. Only with INSTANCE_BANNER=on; names no machine.

import { readInstanceStatus } from "#app/instance-banner.ts";
import { env } from "#lib/core/env.ts";
import { isReplicated } from "#lib/core/instance.ts";

export const dynamic = "force-dynamic";

export function GET(): Response {
  const headers = { "cache-control": "no-store" };
  return env.INSTANCE_BANNER && isReplicated()
    ? Response.json(readInstanceStatus(), { headers })
    : new Response("Not found\n", { status: 404, headers });
}
