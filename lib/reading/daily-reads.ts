// Reads of one post or the whole site, day by day and team by team.

import { epochDay } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";

export interface DailyReads {
  /** Days since 1970-01-01 UTC. */
  readonly day: number;
  readonly total: number;
  /** By team; UNKNOWN for readers who are no members. A team without reads is not in it. */
  readonly byTeam: Readonly<Record<string, number>>;
}

/** The last `days` days in UTC, today included and last; a day without reads too. `slug` null: the whole site. One index range. */
export function listDailyReads(
  sql: Sql,
  { slug, days, nowMs }: { slug: string | null; days: number; nowMs: number },
): DailyReads[] {
  const today = epochDay(nowMs);
  const rows = sql.all<{ day: number; team: string; reads: number }>(
    `SELECT "day", "team", "reads" FROM "PostTeamDay" WHERE "postSlug" = ? AND "day" BETWEEN ? AND ?`,
    slug ?? "",
    today - days + 1,
    today,
  );
  const found = new Map<number, Record<string, number>>();
  for (const { day, team, reads } of rows) found.set(day, { ...found.get(day), [team]: reads });
  return Array.from({ length: days }, (_, i) => {
    const day = today - days + 1 + i;
    const byTeam = found.get(day) ?? {};
    return { day, total: Object.values(byTeam).reduce((sum, reads) => sum + reads, 0), byTeam };
  });
}

/** Reads of each post that was ever read: all of them, and those of the last `days` days. One index range a post. */
export function listPostReads(
  sql: Sql,
  { days, nowMs }: { days: number; nowMs: number },
): { slug: string; reads: number; recent: number }[] {
  const today = epochDay(nowMs);
  return sql.all(
    `SELECT t."postSlug" AS "slug", t."reads",
       COALESCE((SELECT SUM(d."reads") FROM "PostTeamDay" d WHERE d."postSlug" = t."postSlug" AND d."day" BETWEEN ? AND ?), 0) AS "recent"
     FROM "PostTotal" t ORDER BY t."reads" DESC, t."postSlug"`,
    today - days + 1,
    today,
  );
}
