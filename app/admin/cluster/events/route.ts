// GET /admin/cluster/events: streams the cluster's state to an admin.

import { withErrorResponse } from "#lib/http/error-response.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";
import { AppError } from "#lib/core/errors.ts";
import { read } from "#lib/db/database.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { streamClusterEvents } from "#lib/replication/cluster-events.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/viewer.ts";

export const dynamic = "force-dynamic";

/** Server-sent events with a ClusterView each. 204 without replication, so that the browser does not reconnect. */
export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const session = await readSessionCookies();
    await read((tx) => requireViewer(tx, session, { role: "admin" }));
    if (!isReplicated())
      return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
    const isAllowed = () =>
      read(async (tx) => (await resolveViewer(tx, session)).member?.role === "ADMIN");
    const stream = streamClusterEvents({ isAllowed, signal: request.signal });
    if (!stream)
      throw new AppError(
        "unavailable",
        "Too many admins are watching the cluster. Try again later.",
        {
          retryAfterSeconds: 10,
        },
      );
    return new Response(stream, {
      headers: {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "private, no-store",
      },
    });
  });
}
