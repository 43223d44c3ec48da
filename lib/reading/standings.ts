// Ranks the teams for a post, the whole site, or all posts, from the counter tables.

import { epochDay, subtractMonths } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import type { Sql } from "#lib/db/sql.ts";
import {
  type CountsByTeam,
  countActiveMembers,
  sumReadsByTeam,
  sumReadsOfAllPosts,
} from "./standings.sql.ts";
import { TEAMS, type Team } from "./team.ts";

/** Standings divide the reads of the last 6 months by the members active in the last 12. */
export const READS_WINDOW_MONTHS = 6;
export const ACTIVE_WINDOW_MONTHS = 12;

/** The value of DailyTeamReads.postSlug for the whole site. */
export const WHOLE_SITE = "";

export interface Standing {
  readonly team: Team;
  /** Reads in the last 6 months by current members. */
  readonly reads: number;
  /** Members who have read anything in the last 12 months; the same for every post. */
  readonly members: number;
  /** 0 without active members. */
  readonly readsPerMember: number;
}

/**
 * Returns the first UTC day of a window of `months` months that ends now. That whole day counts,
 * because counters are per day.
 */
export function getWindowStartDay(nowMs: number, months: number): number {
  return epochDay(subtractMonths(nowMs, months));
}

function rankTeams(reads: CountsByTeam, members: CountsByTeam): Standing[] {
  // The sort is stable, so ties stay in the order of TEAMS.
  return TEAMS.map((team) => ({
    team,
    reads: reads[team],
    members: members[team],
    readsPerMember: members[team] > 0 ? reads[team] / members[team] : 0,
  })).sort((a, b) => b.readsPerMember - a.readsPerMember);
}

function pickLeadingTeam(standings: Standing[]): Team | null {
  const best = standings[0];
  return best && best.readsPerMember > 0 ? best.team : null;
}

/**
 * Returns all teams, best first, for a post, or for the site if `slug` is null. Tied teams are in
 * the order of TEAMS. Scans index ranges of at most a year of days, so the cost does not depend on
 * the number of reads.
 */
export function getStandings(
  tx: Tx | Sql,
  { slug, nowMs }: { slug: string | null; nowMs: number },
): Standing[] {
  return rankTeams(
    sumReadsByTeam(tx, slug ?? WHOLE_SITE, getWindowStartDay(nowMs, READS_WINDOW_MONTHS)),
    countActiveMembers(tx, getWindowStartDay(nowMs, ACTIVE_WINDOW_MONTHS)),
  );
}

/**
 * Returns the team with the most reads per member for each of `slugs` (WHOLE_SITE for the site);
 * null if no team has reads.
 */
export function findLeadingTeams(
  tx: Tx | Sql,
  { slugs, nowMs }: { slugs: readonly string[]; nowMs: number },
): (Team | null)[] {
  const members = countActiveMembers(tx, getWindowStartDay(nowMs, ACTIVE_WINDOW_MONTHS));
  const from = getWindowStartDay(nowMs, READS_WINDOW_MONTHS);
  return slugs.map((slug) => pickLeadingTeam(rankTeams(sumReadsByTeam(tx, slug, from), members)));
}

/**
 * Returns the leading team by slug; posts without a leader are omitted. Takes a few milliseconds
 * for a few hundred posts, so cache the result if every request needs it.
 */
export function mapLeadingTeams(tx: Tx | Sql, nowMs: number): Map<string, Team> {
  const members = countActiveMembers(tx, getWindowStartDay(nowMs, ACTIVE_WINDOW_MONTHS));
  const result = new Map<string, Team>();
  for (const { slug, ...reads } of sumReadsOfAllPosts(
    tx,
    getWindowStartDay(nowMs, READS_WINDOW_MONTHS),
  )) {
    const team = pickLeadingTeam(rankTeams(reads, members));
    if (team) result.set(slug, team);
  }
  return result;
}
