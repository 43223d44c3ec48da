// Serves GET /admin/reads/daily.csv?slug=: reads per day of two years, of a post or the site, for
// admins.

import { nowMs } from "#lib/core/clock.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { read } from "#lib/db/database.ts";
import { csvResponse } from "#lib/http/csv-response.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";
import { formatDailyReadsCsv, listDailyReads } from "#lib/reading/daily-reads.ts";
import { TEAMS } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";

export const dynamic = "force-dynamic";

const DAYS = 730;

export function GET(request: Request): Promise<Response> {
  return withErrorResponse(request, async () => {
    const sessionIds = await readSessionCookies();
    const slug = new URL(request.url).searchParams.get("slug")?.slice(0, 300) || null;
    const days = await read(async (tx) => {
      await requireViewer(tx, sessionIds, { role: "admin" });
      return listDailyReads(tx, { slug, days: DAYS, nowMs: nowMs() });
    });
    const teams = TEAMS.map((team) => ({ key: team, name: teamName(team) }));
    const columns = siteConfig.features.teams ? teams : [];
    const csv = formatDailyReadsCsv(days, [...columns, { key: "UNKNOWN", name: "Guests" }]);
    return csvResponse(csv, "reads.csv");
  });
}
