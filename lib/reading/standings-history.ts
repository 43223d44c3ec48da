// Computes the site's standings at the end of past weeks.

import { z } from "zod";
import { DAY_MS, epochDay } from "#lib/core/clock.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import { type Tx, read } from "#lib/db/database.ts";
import {
  ACTIVE_WINDOW_MONTHS,
  READS_WINDOW_MONTHS,
  WHOLE_SITE,
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
    readonly readsPerMember: number;
  }[];
}

const HISTORY_WEEKS = 26;
/** Each week is a bit of a 32-bit integer. */
const MAX_WEEKS = 31;
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

const iterateBits = function* (mask: number) {
  for (let week = 0; mask !== 0; week++, mask >>>= 1) if (mask & 1) yield week;
};

/**
 * Returns the number of each team's current members who read anything in the twelve months up to
 * each of `days`.
 */
async function countActiveMembersUpTo(
  days: readonly number[],
  signal?: AbortSignal,
): Promise<Record<Team, number>[]> {
  const windows = days.map((day) => ({
    from: getWindowStartDay(getDayEndMs(day), ACTIVE_WINDOW_MONTHS),
    to: day,
  }));
  const [from, to] = [windows[0]?.from ?? 0, windows.at(-1)?.to ?? -1];
  // A bit mask per day: the weeks for which a read on that day makes a member active.
  const masks = Array.from({ length: to - from + 1 }, (_, i) =>
    windows.reduce(
      (mask, { from: first, to: last }, week) =>
        from + i >= first && from + i <= last ? mask | (1 << week) : mask,
      0,
    ),
  );
  const counts = days.map(
    () => Object.fromEntries(TEAMS.map((team) => [team, 0])) as Record<Team, number>,
  );
  for (let after = ""; ;) {
    signal?.throwIfAborted();
    const { rows, last } = await read((tx) => listNextMembers(tx, after, from, to));
    if (last === null) return counts;
    const active = new Map<string, { team: string; mask: number }>();
    for (const { userId, team, day } of rows) {
      const entry = active.get(userId);
      const mask = masks[day - from] ?? 0;
      if (entry) entry.mask |= mask;
      else active.set(userId, { team, mask });
    }
    for (const { team, mask } of active.values()) {
      const parsedTeam = parseTeam(team);
      if (parsedTeam) for (const week of iterateBits(mask)) counts[week]![parsedTeam] += 1;
    }
    after = last;
    // Let requests run between batches.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Returns the standings at the end of each of the last `weeks` Sundays (UTC), oldest first, by the
 * rules of getStandings(), with today's members and teams. Scans all reads in batches, because
 * DailyActiveMembers has only each member's last day. Takes 0.08 s for 10,000 members and 500,000
 * reads, at most 5 ms per turn. Pages should use getStandingsHistory(), which is cached.
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
  if (weeks > MAX_WEEKS) throw new RangeError(`At most ${MAX_WEEKS} weeks.`);
  const days = listSundays(weeks, nowMs);
  const members = await countActiveMembersUpTo(days, signal);
  const reads = await read((tx) => sumReadsUpTo(tx, days));
  return days.map((day, i) => ({
    day,
    teams: TEAMS.map((team) => {
      const [teamReads, teamMembers] = [reads[i]![team], members[i]![team]];
      const readsPerMember = teamMembers > 0 ? teamReads / teamMembers : 0;
      return { team, reads: teamReads, members: teamMembers, readsPerMember };
    }),
  }));
}

const standingsHistoryCache = defineCache<{ nowMs: number }, StandingsSnapshot[]>({
  name: "standings-history",
  version: 1,
  keyOf: ({ nowMs }) => String(listSundays(1, nowMs)[0]),
  schema: z.array(
    z.object({
      day: z.int(),
      teams: z.array(
        z.object({
          team: z.enum(TEAMS),
          reads: z.int(),
          members: z.int(),
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
