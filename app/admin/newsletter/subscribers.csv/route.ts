// Serves GET /admin/newsletter/subscribers.csv: all subscribers, for admins.

import { read } from "#lib/db/database.ts";
import { csvResponse } from "#lib/http/csv-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { exportSubscribers } from "#lib/members/subscriber-list.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const sessionIds = await readSessionCookies();
    await read((tx) => requireViewer(tx, sessionIds, { role: "admin" }));
    return csvResponse(await exportSubscribers(), "subscribers.csv");
  });
}
