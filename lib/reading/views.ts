// Lists views and their completion by post, by referrer and by day.

import { DAY_MS, epochDay } from "#lib/core/clock.ts";
import { formatCsvRow } from "#lib/core/csv.ts";
import { formatIsoDate } from "#lib/core/format.ts";
import type { Tx } from "#lib/db/database.ts";
import { DIRECT, OTHER } from "./referrer-host.ts";

export interface ViewCounts {
  /** Views that were visible for five seconds. */
  readonly started: number;
  /** Views that counted as a read. */
  readonly finished: number;
}

export const NO_VIEWS: ViewCounts = { started: 0, finished: 0 };

interface Period {
  /** UTC days up to today. */
  readonly days: number;
  readonly nowMs: number;
}

const dayRange = ({ days, nowMs }: Period) => {
  const today = epochDay(nowMs);
  return { gte: today - days + 1, lte: today };
};
const SUM = { started: true, finished: true } as const;
const countsOf = ({ _sum }: { _sum: { started: number | null; finished: number | null } }) => ({
  started: _sum.started ?? 0,
  finished: _sum.finished ?? 0,
});

/** Returns the views of each post by slug. Posts without views are omitted. */
export async function sumViewsByPost(tx: Tx, period: Period): Promise<Map<string, ViewCounts>> {
  const sums = await tx.dailyViews.groupBy({
    by: ["postSlug"],
    where: { day: dayRange(period) },
    _sum: SUM,
  });
  return new Map(sums.map((sum) => [sum.postSlug, countsOf(sum)]));
}

/**
 * Returns the views of a post or (`slug` null) the whole site by referrer, most reads first, at most
 * `limit`.
 */
export async function listReferrers(
  tx: Tx,
  { slug, limit, ...period }: Period & { slug: string | null; limit: number },
): Promise<(ViewCounts & { host: string })[]> {
  const sums = await tx.dailyViews.groupBy({
    by: ["host"],
    where: { day: dayRange(period), ...(slug !== null && { postSlug: slug }) },
    _sum: SUM,
    orderBy: [{ _sum: { finished: "desc" } }, { _sum: { started: "desc" } }, { host: "asc" }],
    take: limit,
  });
  return sums.map((sum) => ({ host: sum.host, ...countsOf(sum) }));
}

export const sumViews = (all: readonly ViewCounts[]): ViewCounts => ({
  started: all.reduce((sum, { started }) => sum + started, 0),
  finished: all.reduce((sum, { finished }) => sum + finished, 0),
});

/** Returns the first day with views, in days since 1970-01-01 UTC; null before the first view. */
export async function findFirstViewDay(tx: Tx): Promise<number | null> {
  const { _min } = await tx.dailyViews.aggregate({ _min: { day: true } });
  return _min.day;
}

/** Returns the share of started views that finished, such as "41%"; "–" without views. */
export function formatCompletion({ started, finished }: ViewCounts = NO_VIEWS): string {
  if (started === 0) return "–";
  // Lost beacons can leave more finished views than started ones.
  return `${Math.min(100, Math.round((100 * finished) / started))}%`;
}

/** Returns a referrer's name for admins. */
export function formatReferrer(host: string): string {
  if (host === DIRECT) return "Direct or internal";
  return host === OTHER ? "Other" : host;
}

/** Maximum rows per file: spreadsheets can open this many. */
const MAX_CSV_ROWS = 50_000;

/** Returns the views by day, post and referrer as CSV, newest day first. */
export async function exportViewsCsv(
  tx: Tx,
  { slug, ...period }: Period & { slug: string | null },
): Promise<string> {
  const rows = await tx.dailyViews.findMany({
    where: { day: dayRange(period), ...(slug !== null && { postSlug: slug }) },
    orderBy: [{ day: "desc" }, { postSlug: "asc" }, { host: "asc" }],
    take: MAX_CSV_ROWS,
  });
  return [
    ["Day (UTC)", "Post", "Referrer", "Started", "Finished"],
    ...rows.map(({ day, postSlug, host, started, finished }) => [
      formatIsoDate(day * DAY_MS),
      postSlug,
      formatReferrer(host),
      started,
      finished,
    ]),
  ]
    .map(formatCsvRow)
    .join("");
}
