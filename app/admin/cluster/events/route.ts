// GET /admin/cluster/events: the cluster as it changes, for an admin who looks at its page.

import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";
import { AppError } from "#lib/core/errors.ts";
import { readSql } from "#lib/db/database.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { streamClusterEvents } from "#lib/replication/cluster-events.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/viewer.ts";

export const dynamic = "force-dynamic";

/** Server-sent events with a ClusterView each; 204, which tells the browser not to ask again, where nothing is replicated. */
export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const identity = await readSessionCookies();
    await readSql((sql) => requireViewer(sql, identity, { role: "admin" }));
    if (!isReplicated())
      return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
    const isAllowed = () => readSql((sql) => resolveViewer(sql, identity).member?.role === "ADMIN");
    const stream = streamClusterEvents({ isAllowed, signal: request.signal });
    if (!stream)
      throw new AppError("unavailable", "Too many are looking at the cluster just now.", {
        retryAfterSeconds: 10,
      });
    return new Response(stream, {
      headers: {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "private, no-store",
      },
    });
  });
}
