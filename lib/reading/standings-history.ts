// The standing of the site at the end of each of the last weeks.

import { z } from "zod";
import { DAY_MS, epochDay } from "#lib/core/clock.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql } from "#lib/db/database.ts";
import {
  ACTIVE_WINDOW_MONTHS,
  READS_WINDOW_MONTHS,
  WHOLE_SITE,
  getWindowStartDay,
  getStandings,
} from "./standings.ts";
import { TEAMS, type Team, parseTeam } from "./team.ts";

export interface StandingsSnapshot {
  /** The last UTC day that counts in it. */
  readonly day: number;
  /** In the order of TEAMS, whoever led. */
  readonly teams: readonly {
    readonly team: Team;
    readonly reads: number;
    readonly members: number;
    readonly ratio: number;
  }[];
}

/** Half a year and the beginning of the week that it began in. One bit of a number for each, so at most 31. */
const HISTORY_WEEKS = 26;
const MAX_WEEKS = 31;
/** Members whose reads are looked at in one turn of the event loop: some milliseconds. */
const MEMBER_BATCH_SIZE = 250;
/** 1970-01-01 was a Thursday: the first Sunday had the number 3. */
const FIRST_SUNDAY = 3;

/** The last `weeks` Sundays that are over at `nowMs`, oldest first. */
function listSundays(weeks: number, nowMs: number): number[] {
  const yesterday = epochDay(nowMs) - 1;
  const last = yesterday - ((yesterday - FIRST_SUNDAY) % 7);
  return Array.from({ length: weeks }, (_, i) => last - 7 * (weeks - 1 - i));
}

const getDayEndMs = (day: number) => (day + 1) * DAY_MS - 1;

/** Reads by the present members of each team in the six months up to each of `days`: sums of PostTeamDay, as the standing of today is. */
function sumReadsUpTo(sql: Sql, days: readonly number[]): Record<Team, number>[] {
  const windows = days.map((day) => ({
    from: getWindowStartDay(getDayEndMs(day), READS_WINDOW_MONTHS),
    to: day,
  }));
  const sums = days.map(
    () => Object.fromEntries(TEAMS.map((team) => [team, 0])) as Record<Team, number>,
  );
  const rows = sql.all<{ team: string; day: number; reads: number }>(
    `SELECT "team", "day", "reads" FROM "PostTeamDay" WHERE "postSlug" = ? AND "day" >= ? AND "day" <= ?`,
    WHOLE_SITE,
    windows[0]?.from ?? 0,
    windows.at(-1)?.to ?? -1,
  );
  for (const { team, day, reads } of rows) {
    const of = parseTeam(team);
    if (of)
      for (const [i, { from, to }] of windows.entries())
        if (day >= from && day <= to) sums[i]![of] += reads;
  }
  return sums;
}

interface MemberBatch {
  readonly rows: { userId: string; team: string; day: number }[];
  /** The last member of this turn; null when there is none left. */
  readonly last: string | null;
}

/** The days on which the next members after `after` have read, within `from` and `to`. Ranges of PostRead_has_member_read and nothing of the table. */
function listNextMembers(sql: Sql, after: string, from: number, to: number): MemberBatch {
  const last =
    sql.get<{ last: string | null }>(
      `SELECT MAX("userId") AS "last" FROM (SELECT "userId" FROM "MemberLastRead" WHERE "userId" > ? ORDER BY "userId" LIMIT ${MEMBER_BATCH_SIZE})`,
      after,
    )?.last ?? null;
  if (last === null) return { rows: [], last };
  const rows = sql.all<MemberBatch["rows"][number]>(
    `SELECT m."userId", m."team", r."createdAt" / ${DAY_MS} AS "day" FROM "MemberLastRead" m CROSS JOIN "PostRead" r ON r."userId" = m."userId"
     WHERE m."userId" > ? AND m."userId" <= ? AND m."day" >= ? AND r."createdAt" >= ? AND r."createdAt" <= ?`,
    after,
    last,
    from,
    from * DAY_MS,
    getDayEndMs(to),
  );
  return { rows, last };
}

const iterateBits = function* (mask: number) {
  for (let week = 0; mask !== 0; week++, mask >>>= 1) if (mask & 1) yield week;
};

/** Present members of each team who had read anything in the twelve months up to each of `days`. */
async function countActiveMembersUpTo(
  days: readonly number[],
  signal?: AbortSignal,
): Promise<Record<Team, number>[]> {
  const windows = days.map((day) => ({
    from: getWindowStartDay(getDayEndMs(day), ACTIVE_WINDOW_MONTHS),
    to: day,
  }));
  const [from, to] = [windows[0]?.from ?? 0, windows.at(-1)?.to ?? -1];
  // For each day, the weeks in which somebody who read on it was active.
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
    const { rows, last } = await readSql((sql) => listNextMembers(sql, after, from, to));
    if (last === null) return counts;
    const active = new Map<string, { team: string; mask: number }>();
    for (const { userId, team, day } of rows) {
      const known = active.get(userId);
      const mask = masks[day - from] ?? 0;
      if (known) known.mask |= mask;
      else active.set(userId, { team, mask });
    }
    for (const { team, mask } of active.values()) {
      const of = parseTeam(team);
      if (of) for (const week of iterateBits(mask)) counts[week]![of] += 1;
    }
    after = last;
    // Pages and writes first.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * The standing at the end of each of the last `weeks` Sundays (UTC) that are over, oldest first: reads in the six months before,
 * divided by members who had read anything in the twelve months before. Exactly what the standing of that day would have been if
 * the members and teams of today had been those of then: like the standing of today it counts reads of present members, under
 * their present team. TeamActiveDay can't tell who was active back then, since it only knows each member's newest day; so this
 * goes through the reads of all members, some hundred members at a time and each in a snapshot of its own.
 * With 10,000 members and 500,000 reads that is 0.08 s in turns of at most 5 ms: too dear for each request, cheap once a day. Pages take pastStandings().
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
  const reads = await readSql((sql) => sumReadsUpTo(sql, days));
  return days.map((day, i) => ({
    day,
    teams: TEAMS.map((team) => {
      const [read, active] = [reads[i]![team], members[i]![team]];
      return { team, reads: read, members: active, ratio: active > 0 ? read / active : 0 };
    }),
  }));
}

const standingsHistoryCache = defineCache<{ nowMs: number }, StandingsSnapshot[]>({
  name: "past-standings",
  version: 1,
  keyOf: ({ nowMs }) => String(listSundays(1, nowMs)[0]),
  schema: z.array(
    z.object({
      day: z.int(),
      teams: z.array(
        z.object({ team: z.enum(TEAMS), reads: z.int(), members: z.int(), ratio: z.number() }),
      ),
    }),
  ),
  // The past only changes when a member changes team, logs in with reads of before, or leaves.
  ttlMs: DAY_MS,
  swrMs: 7 * DAY_MS,
  timeoutMs: 20_000,
  produce: ({ nowMs }, { signal }) =>
    computeStandingsHistory({ weeks: HISTORY_WEEKS, nowMs, signal }),
});

/** The ends of the last 26 weeks, oldest first; at most a day old. Throws AppError(unavailable) when making them takes longer than 20 s. */
export function getStandingsHistory(nowMs: number): Promise<StandingsSnapshot[]> {
  return standingsHistoryCache.get({ nowMs });
}

/** The standing of now in the same form, to stand at the end. */
export function getCurrentStandings(sql: Sql, nowMs: number): StandingsSnapshot {
  const now = getStandings(sql, { slug: null, nowMs });
  return {
    day: epochDay(nowMs),
    teams: TEAMS.map((team) => now.find((standing) => standing.team === team)!),
  };
}
