// Lists reads per day and team, for one post or the whole site.

import { DAY_MS, epochDay } from "#lib/core/clock.ts";
import { formatCsvRow } from "#lib/core/csv.ts";
import { formatIsoDate } from "#lib/core/format.ts";
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

/** Prisma refuses a query with 1,000 or more parameters. */
const POSTS_PER_QUERY = 500;

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
  const recentBySlug = new Map<string, number>();
  for (let start = 0; start < totals.length; start += POSTS_PER_QUERY) {
    const sums = await tx.dailyTeamReads.groupBy({
      by: ["postSlug"],
      where: {
        postSlug: {
          in: totals.slice(start, start + POSTS_PER_QUERY).map(({ postSlug }) => postSlug),
        },
        day: { gte: today - days + 1, lte: today },
      },
      _sum: { reads: true },
    });
    for (const { postSlug, _sum } of sums) recentBySlug.set(postSlug, _sum.reads ?? 0);
  }
  return totals.map(({ postSlug, reads }) => ({
    slug: postSlug,
    reads,
    recent: recentBySlug.get(postSlug) ?? 0,
  }));
}

/**
 * Compares the second half of `days` with the first: "12% more than in the previous 90 days". Returns
 * null if there were no reads before.
 */
export function compareWithPrevious(days: readonly DailyReads[]): string | null {
  const half = Math.floor(days.length / 2);
  const sum = (part: readonly DailyReads[]) => part.reduce((all, { total }) => all + total, 0);
  const [before, now] = [sum(days.slice(0, half)), sum(days.slice(half))];
  if (before === 0) return null;
  const percent = Math.round((Math.abs(now - before) / before) * 100);
  const than = `in the previous ${half} days`;
  if (percent === 0) return `About as many as ${than}`;
  if (now >= 3 * before) return `${Math.floor(now / before)} times as many as ${than}`;
  return `${percent.toLocaleString("en-US")}% ${now > before ? "more" : "fewer"} than ${than}`;
}

/** Returns the days as CSV (RFC 4180), with a column per team in `teams`. */
export function formatDailyReadsCsv(
  days: readonly DailyReads[],
  teams: readonly { readonly key: string; readonly name: string }[],
): string {
  return [
    ["Day (UTC)", ...teams.map(({ name }) => name), "All"],
    ...days.map(({ day, byTeam, total }) => [
      formatIsoDate(day * DAY_MS),
      ...teams.map(({ key }) => byTeam[key] ?? 0),
      total,
    ]),
  ]
    .map(formatCsvRow)
    .join("");
}
