// Lists reads per day and team, for one post or the whole site.

import { epochDay } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

export interface DailyReads {
  /** Days since 1970-01-01 UTC. */
  readonly day: number;
  readonly total: number;
  /** Reads by team. Anonymous readers have the team UNKNOWN. Teams without reads are omitted. */
  readonly byTeam: Readonly<Record<string, number>>;
}

/**
 * Returns the last `days` UTC days up to today, including those without reads, for a post or
 * (`slug` null) the whole site. Scans one index range.
 */
export function listDailyReads(
  tx: Tx,
  { slug, days, nowMs }: { slug: string | null; days: number; nowMs: number },
): DailyReads[] {
  const today = epochDay(nowMs);
  const rows = sqlOf(tx).all<{ day: number; team: string; reads: number }>(
    `SELECT "day", "team", "reads" FROM "PostTeamDay" WHERE "postSlug" = ? AND "day" BETWEEN ? AND ?`,
    slug ?? "",
    today - days + 1,
    today,
  );
  const byDay = new Map<number, Record<string, number>>();
  for (const { day, team, reads } of rows) byDay.set(day, { ...byDay.get(day), [team]: reads });
  return Array.from({ length: days }, (_, i) => {
    const day = today - days + 1 + i;
    const byTeam = byDay.get(day) ?? {};
    return { day, total: Object.values(byTeam).reduce((sum, reads) => sum + reads, 0), byTeam };
  });
}

/**
 * Returns each post's total reads and those of the last `days` days, most-read first. Posts without
 * reads are omitted. Scans one index range per post.
 */
export function listPostReads(
  tx: Tx,
  { days, nowMs }: { days: number; nowMs: number },
): { slug: string; reads: number; recent: number }[] {
  const today = epochDay(nowMs);
  return sqlOf(tx).all(
    `SELECT t."postSlug" AS "slug", t."reads",
       COALESCE((SELECT SUM(d."reads") FROM "PostTeamDay" d WHERE d."postSlug" = t."postSlug" AND d."day" BETWEEN ? AND ?), 0) AS "recent"
     FROM "PostTotal" t ORDER BY t."reads" DESC, t."postSlug"`,
    today - days + 1,
    today,
  );
}
