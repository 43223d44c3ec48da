// Lists reads per day and team, for one post or the whole site.

import { epochDay } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { WHOLE_SITE } from "./standings.ts";

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
export async function listDailyReads(
  tx: Tx,
  { slug, days, nowMs }: { slug: string | null; days: number; nowMs: number },
): Promise<DailyReads[]> {
  const today = epochDay(nowMs);
  const rows = await tx.dailyTeamReads.findMany({
    where: { postSlug: slug ?? WHOLE_SITE, day: { gte: today - days + 1, lte: today } },
    select: { day: true, team: true, reads: true },
  });
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
export async function listPostReads(
  tx: Tx,
  { days, nowMs }: { days: number; nowMs: number },
): Promise<{ slug: string; reads: number; recent: number }[]> {
  const today = epochDay(nowMs);
  const totals = await tx.postTotal.findMany({ orderBy: [{ reads: "desc" }, { postSlug: "asc" }] });
  const sums = await tx.dailyTeamReads.groupBy({
    by: ["postSlug"],
    where: {
      postSlug: { in: totals.map(({ postSlug }) => postSlug) },
      day: { gte: today - days + 1, lte: today },
    },
    _sum: { reads: true },
  });
  const recentBySlug = new Map(sums.map(({ postSlug, _sum }) => [postSlug, _sum.reads ?? 0]));
  return totals.map(({ postSlug, reads }) => ({
    slug: postSlug,
    reads,
    recent: recentBySlug.get(postSlug) ?? 0,
  }));
}
