// Serves GET /admin/newsletter/subscribers.csv: all subscribers, for admins.

import { currentRequestContext } from "#lib/core/request-context.ts";
import { read } from "#lib/db/database.ts";
import { csvResponse } from "#lib/http/csv-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { streamWithIdleTimeout } from "#lib/http/stream-with-idle-timeout.ts";
import { exportSubscribers } from "#lib/members/subscriber-list.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const sessionIds = await readSessionCookies();
    await read((tx) => requireViewer(tx, sessionIds, { role: "admin" }));
    const rows = exportSubscribers();
    const encoder = new TextEncoder();
    const connection = currentRequestContext()?.response;
    const csv = streamWithIdleTimeout({
      async nextChunk() {
        const { value } = await rows.next();
        return value === undefined ? null : encoder.encode(value);
      },
      onEnd: () => void rows.return(undefined),
      onTimeout: () => void connection?.destroy(),
    });
    return csvResponse(csv, "subscribers.csv");
  });
}
