// Computes the site's standings at the end of past weeks.

import { z } from "zod";
import { DAY_MS, epochDay } from "#lib/core/clock.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import { type Tx, read } from "#lib/db/database.ts";
import {
  ACTIVE_WINDOW_MONTHS,
  MAX_GAP_DAYS,
  READS_WINDOW_MONTHS,
  WHOLE_SITE,
  divideByMemberTime,
  getWindowStartDay,
  getStandings,
} from "./standings.ts";
import { type MemberReadDay, listMemberReadDays } from "./standings-history.sql.ts";
import { TEAMS, type Team, parseTeam } from "./team.ts";

export interface StandingsSnapshot {
  /** The last UTC day included, in days since the Unix epoch. */
  readonly day: number;
  /** In the order of TEAMS. */
  readonly teams: readonly {
    readonly team: Team;
    readonly reads: number;
    readonly members: number;
    readonly memberTime: number;
    readonly readsPerMember: number;
  }[];
}

const HISTORY_WEEKS = 26;
/** Members per turn of the event loop. A batch takes a few milliseconds. */
const MEMBER_BATCH_SIZE = 250;
/** 1970-01-01 was a Thursday, so day 3 was a Sunday. */
const FIRST_SUNDAY = 3;

/** Returns the last `weeks` Sundays before today, oldest first. */
function listSundays(weeks: number, nowMs: number): number[] {
  const yesterday = epochDay(nowMs) - 1;
  const last = yesterday - ((yesterday - FIRST_SUNDAY) % 7);
  return Array.from({ length: weeks }, (_, i) => last - 7 * (weeks - 1 - i));
}

const getDayEndMs = (day: number) => (day + 1) * DAY_MS - 1;

/**
 * Returns each team's reads by current members in the six months up to each of `days`, from
 * DailyTeamReads.
 */
async function sumReadsUpTo(tx: Tx, days: readonly number[]): Promise<Record<Team, number>[]> {
  const windows = days.map((day) => ({
    from: getWindowStartDay(getDayEndMs(day), READS_WINDOW_MONTHS),
    to: day,
  }));
  const sums = days.map(
    () => Object.fromEntries(TEAMS.map((team) => [team, 0])) as Record<Team, number>,
  );
  const rows = await tx.dailyTeamReads.findMany({
    where: {
      postSlug: WHOLE_SITE,
      day: { gte: windows[0]?.from ?? 0, lte: windows.at(-1)?.to ?? -1 },
    },
  });
  for (const { team, day, reads } of rows) {
    const parsedTeam = parseTeam(team);
    if (parsedTeam)
      for (const [i, { from, to }] of windows.entries())
        if (day >= from && day <= to) sums[i]![parsedTeam] += reads;
  }
  return sums;
}

interface MemberBatch {
  readonly rows: readonly MemberReadDay[];
  /** The ID of the batch's last member; null after the last batch. */
  readonly last: string | null;
}

/** Returns the days from `from` to `to` on which the next batch of members read something. */
async function listNextMembers(
  tx: Tx,
  after: string,
  from: number,
  to: number,
): Promise<MemberBatch> {
  const members = await tx.memberLastRead.findMany({
    where: { userId: { gt: after } },
    orderBy: { userId: "asc" },
    take: MEMBER_BATCH_SIZE,
    select: { userId: true },
  });
  const last = members.at(-1)?.userId ?? null;
  return { rows: last === null ? [] : listMemberReadDays(tx, { after, last, from, to }), last };
}

interface Week {
  readonly day: number;
  readonly activeFrom: number;
  readonly readsFrom: number;
}

interface MemberTotals {
  members: number;
  memberDays: number;
}

type TotalsByTeam = Record<Team, MemberTotals>;

/** Adds a member, whose read days are sorted, to each week in which they are active. */
function addMember(weeks: readonly Week[], totals: TotalsByTeam[], team: Team, days: number[]) {
  let last = -Infinity;
  let activeSince = -Infinity;
  let next = 0;
  for (const [i, { day, activeFrom, readsFrom }] of weeks.entries()) {
    for (; next < days.length && days[next]! <= day; next++) {
      if (days[next]! - last > MAX_GAP_DAYS) activeSince = days[next]!;
      last = days[next]!;
    }
    if (last < activeFrom) continue;
    totals[i]![team].members += 1;
    totals[i]![team].memberDays += day - Math.max(readsFrom, activeSince);
  }
}

/** Returns the current members of each team that were active at the end of each of `weeks`. */
async function countActiveMembersUpTo(
  weeks: readonly Week[],
  signal?: AbortSignal,
): Promise<TotalsByTeam[]> {
  const totals = weeks.map(
    () =>
      Object.fromEntries(
        TEAMS.map((team) => [team, { members: 0, memberDays: 0 }]),
      ) as unknown as TotalsByTeam,
  );
  const to = weeks.at(-1)?.day ?? -1;
  // Early enough to detect a gap before the first day on which a member's start matters.
  const from = Math.min(weeks[0]?.activeFrom ?? 0, (weeks[0]?.readsFrom ?? 0) - MAX_GAP_DAYS);
  for (let after = ""; ;) {
    signal?.throwIfAborted();
    const { rows, last } = await read((tx) => listNextMembers(tx, after, from, to));
    if (last === null) return totals;
    const daysByMember = new Map<string, { team: string; days: number[] }>();
    for (const { userId, team, day } of rows) {
      const member = daysByMember.get(userId);
      if (member) member.days.push(day);
      else daysByMember.set(userId, { team, days: [day] });
    }
    for (const { team, days } of daysByMember.values()) {
      const parsedTeam = parseTeam(team);
      if (parsedTeam)
        addMember(
          weeks,
          totals,
          parsedTeam,
          days.sort((a, b) => a - b),
        );
    }
    after = last;
    // Let requests run between batches.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Returns the standings at the end of each of the last `weeks` Sundays (UTC), oldest first, by the
 * rules of getStandings(), with today's members and teams. Scans all reads in batches, because
 * DailyActiveMembers has only each member's last day. Pages should use getStandingsHistory(), which is cached.
 */
export async function computeStandingsHistory({
  weeks,
  nowMs,
  signal,
}: {
  weeks: number;
  nowMs: number;
  signal?: AbortSignal;
}): Promise<StandingsSnapshot[]> {
  const days = listSundays(weeks, nowMs);
  const windows = days.map((day) => ({
    day,
    activeFrom: getWindowStartDay(getDayEndMs(day), ACTIVE_WINDOW_MONTHS),
    readsFrom: getWindowStartDay(getDayEndMs(day), READS_WINDOW_MONTHS),
  }));
  const totals = await countActiveMembersUpTo(windows, signal);
  const sums = await read((tx) => sumReadsUpTo(tx, days));
  return windows.map(({ day, readsFrom }, i) => ({
    day,
    teams: TEAMS.map((team) => {
      const reads = sums[i]![team];
      const { members, memberDays } = totals[i]![team];
      return { team, reads, members, ...divideByMemberTime(reads, memberDays, day - readsFrom) };
    }),
  }));
}

const standingsHistoryCache = defineCache<{ nowMs: number }, StandingsSnapshot[]>({
  name: "standings-history",
  version: 2,
  keyOf: ({ nowMs }) => String(listSundays(1, nowMs)[0]),
  schema: z.array(
    z.object({
      day: z.int(),
      teams: z.array(
        z.object({
          team: z.enum(TEAMS),
          reads: z.int(),
          members: z.int(),
          memberTime: z.number(),
          readsPerMember: z.number(),
        }),
      ),
    }),
  ),
  // Past standings change only if a member changes teams, claims anonymous reads, or leaves.
  ttlMs: DAY_MS,
  swrMs: 7 * DAY_MS,
  timeoutMs: 20_000,
  produce: ({ nowMs }, { signal }) =>
    computeStandingsHistory({ weeks: HISTORY_WEEKS, nowMs, signal }),
});

/** Recomputes the cached history, after past reads were deleted. */
export async function refreshStandingsHistory(nowMs: number): Promise<void> {
  await standingsHistoryCache.refresh({ nowMs });
}

/**
 * Returns the standings of the last HISTORY_WEEKS weeks, oldest first, from the cache. Throws
 * AppError(unavailable) after 20 s.
 */
export function getStandingsHistory(nowMs: number): Promise<StandingsSnapshot[]> {
  return standingsHistoryCache.get({ nowMs });
}

/** Returns the current standings as a snapshot. */
export function getCurrentStandings(tx: Tx, nowMs: number): StandingsSnapshot {
  const standings = getStandings(tx, { slug: null, nowMs });
  return {
    day: epochDay(nowMs),
    teams: TEAMS.map((team) => standings.find((standing) => standing.team === team)!),
  };
}
