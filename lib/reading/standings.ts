// The ranking of the teams: of one post, of the whole site, of every post at once. Never touches PostRead.

import { epochDay, subtractMonths } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";
import { TEAMS, type Team } from "./team.ts";

/** Reads of the last 6 months are ranked by the members active in the last 12: the rule of the reference. */
export const READS_WINDOW_MONTHS = 6;
export const ACTIVE_WINDOW_MONTHS = 12;

/** PostTeamDay's name for the whole site. */
export const WHOLE_SITE = "";

export interface Standing {
  readonly team: Team;
  /** Reads in the last 6 months by those who are in the team now. */
  readonly reads: number;
  /** Members of the team who have read anything in the last 12 months: the same for every post. */
  readonly members: number;
  /** reads ÷ members; 0 when there are no such members. */
  readonly ratio: number;
}

type CountsByTeam = Record<Team, number>;

/**
 * The first UTC day of a window that ends now: the calendar day `months` months ago, whole.
 * A read early on that day, before the hour it is now, still counts: buckets are days.
 */
export function getWindowStartDay(nowMs: number, months: number): number {
  return epochDay(subtractMonths(nowMs, months));
}

// One sum for each team, and no GROUP BY: SQLite would sort the rows of the window for it.
const SUMS_BY_TEAM_SQL = TEAMS.map(
  (team) => `COALESCE(SUM("reads") FILTER (WHERE "team" = '${team}'), 0) AS "${team}"`,
).join(", ");
const READS_SQL = `SELECT ${SUMS_BY_TEAM_SQL} FROM "PostTeamDay" WHERE "postSlug" = ? AND "day" >= ?`;
// Here the key begins with the team: one range for each.
const ACTIVE_MEMBERS_SQL = `SELECT ${TEAMS.map((team) => `(SELECT COALESCE(SUM("members"), 0) FROM "TeamActiveDay" WHERE "team" = '${team}' AND "day" >= "from") AS "${team}"`).join(", ")}
  FROM (SELECT ? AS "from")`;
const READS_OF_ALL_POSTS_SQL = `SELECT "PostTotal"."postSlug" AS "slug", ${SUMS_BY_TEAM_SQL.replaceAll(`"reads"`, `"PostTeamDay"."reads"`)}
  FROM "PostTotal" CROSS JOIN "PostTeamDay" ON "PostTeamDay"."postSlug" = "PostTotal"."postSlug" AND "day" >= ?
  GROUP BY "PostTotal"."postSlug"`;

function countActiveMembers(sql: Sql, nowMs: number): CountsByTeam {
  return sql.get<CountsByTeam>(
    ACTIVE_MEMBERS_SQL,
    getWindowStartDay(nowMs, ACTIVE_WINDOW_MONTHS),
  ) as CountsByTeam;
}

function rankTeams(reads: CountsByTeam, members: CountsByTeam): Standing[] {
  // The sort is stable: teams with the same ratio stay in the order of TEAMS.
  return TEAMS.map((team) => ({
    team,
    reads: reads[team],
    members: members[team],
    ratio: members[team] > 0 ? reads[team] / members[team] : 0,
  })).sort((a, b) => b.ratio - a.ratio);
}

function pickLeadingTeam(standings: Standing[]): Team | null {
  const best = standings[0];
  return best && best.ratio > 0 ? best.team : null;
}

/**
 * All three teams, best first, for the post `slug`, or for the whole site when `slug` is null.
 * Ties stand in the order of TEAMS. Costs two range reads of at most a year of days, however many reads there are.
 */
export function getStandings(
  sql: Sql,
  { slug, nowMs }: { slug: string | null; nowMs: number },
): Standing[] {
  const reads = sql.get<CountsByTeam>(
    READS_SQL,
    slug ?? WHOLE_SITE,
    getWindowStartDay(nowMs, READS_WINDOW_MONTHS),
  ) as CountsByTeam;
  return rankTeams(reads, countActiveMembers(sql, nowMs));
}

/** The team that leads the post (the site when `slug` is null): the highest ratio above 0, or null. */
export function findLeadingTeam(
  sql: Sql,
  { slug, nowMs }: { slug: string | null; nowMs: number },
): Team | null {
  return findLeadingTeams(sql, { slugs: [slug ?? WHOLE_SITE], nowMs })[0] ?? null;
}

/** leader() of each of `slugs`, in their order; SITE stands for the whole site. */
export function findLeadingTeams(
  sql: Sql,
  { slugs, nowMs }: { slugs: readonly string[]; nowMs: number },
): (Team | null)[] {
  const members = countActiveMembers(sql, nowMs);
  const from = getWindowStartDay(nowMs, READS_WINDOW_MONTHS);
  return slugs.map((slug) =>
    pickLeadingTeam(
      rankTeams(sql.get<CountsByTeam>(READS_SQL, slug, from) as CountsByTeam, members),
    ),
  );
}

/**
 * Who leads each post that anybody leads. One query over six months of days of every post:
 * some milliseconds at a few hundred posts, so keep the result for a while where every request wants it.
 */
export function mapLeadingTeams(sql: Sql, nowMs: number): Map<string, Team> {
  const members = countActiveMembers(sql, nowMs);
  const result = new Map<string, Team>();
  for (const { slug, ...reads } of sql.all<CountsByTeam & { slug: string }>(
    READS_OF_ALL_POSTS_SQL,
    getWindowStartDay(nowMs, READS_WINDOW_MONTHS),
  )) {
    const team = pickLeadingTeam(rankTeams(reads, members));
    if (team) result.set(slug, team);
  }
  return result;
}
