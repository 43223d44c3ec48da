// The ranking of the teams: of one post, of the whole site, of every post at once. Never touches PostRead.

import { dayOf, monthsBefore } from "../base/clock.ts";
import type { Sql } from "../db/connection.ts";
import { TEAMS, type Team } from "./team.ts";

/** Reads of the last 6 months are ranked by the members active in the last 12: the rule of the reference. */
export const READS_MONTHS = 6;
export const ACTIVE_MONTHS = 12;

/** PostTeamDay's name for the whole site. */
export const SITE = "";

export interface Standing {
  readonly team: Team;
  /** Reads in the last 6 months by those who are in the team now. */
  readonly reads: number;
  /** Members of the team who have read anything in the last 12 months: the same for every post. */
  readonly members: number;
  /** reads ÷ members; 0 when there are no such members. */
  readonly ratio: number;
}

type Counts = Record<Team, number>;

/**
 * The first UTC day of a window that ends now: the calendar day `months` months ago, whole.
 * A read early on that day, before the hour it is now, still counts: buckets are days.
 */
export function firstDay(nowMs: number, months: number): number {
  return dayOf(monthsBefore(nowMs, months));
}

// One sum for each team, and no GROUP BY: SQLite would sort the rows of the window for it.
const SUMS = TEAMS.map(
  (team) => `COALESCE(SUM("reads") FILTER (WHERE "team" = '${team}'), 0) AS "${team}"`,
).join(", ");
const READS = `SELECT ${SUMS} FROM "PostTeamDay" WHERE "postSlug" = ? AND "day" >= ?`;
// Here the key begins with the team: one range for each.
const MEMBERS = `SELECT ${TEAMS.map((team) => `(SELECT COALESCE(SUM("members"), 0) FROM "TeamActiveDay" WHERE "team" = '${team}' AND "day" >= "from") AS "${team}"`).join(", ")}
  FROM (SELECT ? AS "from")`;
const READS_OF_ALL = `SELECT "PostTotal"."postSlug" AS "slug", ${SUMS.replaceAll(`"reads"`, `"PostTeamDay"."reads"`)}
  FROM "PostTotal" CROSS JOIN "PostTeamDay" ON "PostTeamDay"."postSlug" = "PostTotal"."postSlug" AND "day" >= ?
  GROUP BY "PostTotal"."postSlug"`;

function activeMembers(sql: Sql, nowMs: number): Counts {
  return sql.get<Counts>(MEMBERS, firstDay(nowMs, ACTIVE_MONTHS)) as Counts;
}

function rank(reads: Counts, members: Counts): Standing[] {
  // The sort is stable: teams with the same ratio stay in the order of TEAMS.
  return TEAMS.map((team) => ({
    team,
    reads: reads[team],
    members: members[team],
    ratio: members[team] > 0 ? reads[team] / members[team] : 0,
  })).sort((a, b) => b.ratio - a.ratio);
}

function first(standings: Standing[]): Team | null {
  const best = standings[0];
  return best && best.ratio > 0 ? best.team : null;
}

/**
 * All three teams, best first, for the post `slug`, or for the whole site when `slug` is null.
 * Ties stand in the order of TEAMS. Costs two range reads of at most a year of days, however many reads there are.
 */
export function standings(
  sql: Sql,
  { slug, nowMs }: { slug: string | null; nowMs: number },
): Standing[] {
  const reads = sql.get<Counts>(READS, slug ?? SITE, firstDay(nowMs, READS_MONTHS)) as Counts;
  return rank(reads, activeMembers(sql, nowMs));
}

/** The team that leads the post (the site when `slug` is null): the highest ratio above 0, or null. */
export function leader(
  sql: Sql,
  { slug, nowMs }: { slug: string | null; nowMs: number },
): Team | null {
  return leadersOf(sql, { slugs: [slug ?? SITE], nowMs })[0] ?? null;
}

/** leader() of each of `slugs`, in their order; SITE stands for the whole site. */
export function leadersOf(
  sql: Sql,
  { slugs, nowMs }: { slugs: readonly string[]; nowMs: number },
): (Team | null)[] {
  const members = activeMembers(sql, nowMs);
  const from = firstDay(nowMs, READS_MONTHS);
  return slugs.map((slug) => first(rank(sql.get<Counts>(READS, slug, from) as Counts, members)));
}

/**
 * Who leads each post that anybody leads. One query over six months of days of every post:
 * some milliseconds at a few hundred posts, so keep the result for a while where every request wants it.
 */
export function leaders(sql: Sql, nowMs: number): Map<string, Team> {
  const members = activeMembers(sql, nowMs);
  const result = new Map<string, Team>();
  for (const { slug, ...reads } of sql.all<Counts & { slug: string }>(
    READS_OF_ALL,
    firstDay(nowMs, READS_MONTHS),
  )) {
    const team = first(rank(reads, members));
    if (team) result.set(slug, team);
  }
  return result;
}
