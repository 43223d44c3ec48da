// Serves GET /admin/reads/views.csv?slug=: views by day, post and referrer, of a post or the site,
// for admins.

import { nowMs } from "#lib/core/clock.ts";
import { read } from "#lib/db/database.ts";
import { csvResponse } from "#lib/http/csv-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";
import { VIEWS_KEPT_DAYS } from "#lib/reading/count-view.sql.ts";
import { exportViewsCsv } from "#lib/reading/views.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const sessionIds = await readSessionCookies();
    const slug = new URL(request.url).searchParams.get("slug")?.slice(0, 300) || null;
    const csv = await read(async (tx) => {
      await requireViewer(tx, sessionIds, { role: "admin" });
      return exportViewsCsv(tx, { slug, days: VIEWS_KEPT_DAYS, nowMs: nowMs() });
    });
    return csvResponse(csv, "views.csv");
  });
}
