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
import type { LeadingTeams } from "./lead.ts";
import { TEAMS, type Team } from "./team.ts";

/** Standings divide the reads of the last 6 months by the members active in the last 12. */
export const READS_WINDOW_MONTHS = 6;
export const ACTIVE_WINDOW_MONTHS = 12;
/**
 * After a longer gap, a member counts as new again. As long as the active window, or a day shorter
 * if that contains a leap day.
 */
export const MAX_GAP_DAYS = 365;

/** The value of DailyTeamReads.postSlug for the whole site. */
export const WHOLE_SITE = "";

export interface Standing {
  readonly team: Team;
  /** Reads in the last 6 months by current members. */
  readonly reads: number;
  /** Members who have read anything in the last 12 months; the same for every post. */
  readonly members: number;
  /**
   * The divisor: the members' time since they became active, at most 6 months each, in units of 6
   * months. At least 1; the same for every post.
   */
  readonly memberTime: number;
  readonly readsPerMember: number;
}

/**
 * Returns the first UTC day of a window of `months` months that ends now. That whole day counts,
 * because counters are per day.
 */
export function getWindowStartDay(nowMs: number, months: number): number {
  return epochDay(subtractMonths(nowMs, months));
}

/** Data that the standings of all posts share. */
interface Divisors {
  readonly readsFrom: number;
  readonly windowDays: number;
  readonly members: CountsByTeam;
  /** Member time in days. */
  readonly memberDays: CountsByTeam;
}

function computeDivisors(tx: Tx | Sql, nowMs: number): Divisors {
  const today = epochDay(nowMs);
  const readsFrom = getWindowStartDay(nowMs, READS_WINDOW_MONTHS);
  const windowDays = today - readsFrom;
  const activeFrom = getWindowStartDay(nowMs, ACTIVE_WINDOW_MONTHS);
  const { active, missingDays } = countActiveMembers(tx, { activeFrom, readsFrom, today });
  const memberDays = { ...active };
  for (const team of TEAMS) memberDays[team] = active[team] * windowDays - missingDays[team];
  return { readsFrom, windowDays, members: active, memberDays };
}

/** Returns a string that changes whenever a divisor does, which is at least once a day. */
function serializeDivisors({ readsFrom, memberDays }: Divisors): string {
  return [readsFrom, ...TEAMS.map((team) => memberDays[team])].join(" ");
}

/** Returns the divisor and the score of a team. */
export function divideByMemberTime(
  reads: number,
  memberDays: number,
  windowDays: number,
): Pick<Standing, "memberTime" | "readsPerMember"> {
  const days = Math.max(windowDays, memberDays);
  // Equal fractions give equal quotients, because both operands are exact.
  return { memberTime: days / windowDays, readsPerMember: (reads * windowDays) / days };
}

function rankTeams(reads: CountsByTeam, { members, memberDays, windowDays }: Divisors): Standing[] {
  // The sort is stable, so ties stay in the order of TEAMS.
  return TEAMS.map((team) => ({
    team,
    reads: reads[team],
    members: members[team],
    ...divideByMemberTime(reads[team], memberDays[team], windowDays),
  })).sort((a, b) => b.readsPerMember - a.readsPerMember);
}

/** Returns the teams that share first place in `standings`; none if there are no reads. */
export function pickLeadingTeams(standings: readonly Standing[]): LeadingTeams {
  const best = standings[0]?.readsPerMember ?? 0;
  if (best === 0) return [];
  return standings.filter(({ readsPerMember }) => readsPerMember === best).map(({ team }) => team);
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
  const divisors = computeDivisors(tx, nowMs);
  return rankTeams(sumReadsByTeam(tx, slug ?? WHOLE_SITE, divisors.readsFrom), divisors);
}

/**
 * Returns the leading teams of each of `slugs` (WHOLE_SITE for the site), and the divisors as a
 * text: the leads of all posts may change with them.
 */
export function findLeadingTeams(
  tx: Tx | Sql,
  { slugs, nowMs }: { slugs: readonly string[]; nowMs: number },
): { leads: LeadingTeams[]; divisors: string } {
  const divisors = computeDivisors(tx, nowMs);
  return {
    leads: slugs.map((slug) =>
      pickLeadingTeams(rankTeams(sumReadsByTeam(tx, slug, divisors.readsFrom), divisors)),
    ),
    divisors: serializeDivisors(divisors),
  };
}

/**
 * Returns the leading teams by slug; posts without reads by members are omitted. Takes a few
 * milliseconds for a few hundred posts, so cache the result if every request needs it.
 */
export function mapLeadingTeams(tx: Tx | Sql, nowMs: number): Map<string, LeadingTeams> {
  const divisors = computeDivisors(tx, nowMs);
  const result = new Map<string, LeadingTeams>();
  for (const { slug, ...reads } of sumReadsOfAllPosts(tx, divisors.readsFrom)) {
    const teams = pickLeadingTeams(rankTeams(reads, divisors));
    if (teams.length > 0) result.set(slug, teams);
  }
  return result;
}
