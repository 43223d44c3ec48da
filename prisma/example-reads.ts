// Generates a year of realistic example reads: more on weekdays and after a post's publication,
// with teams that take turns in the lead.

import { DAY_MS, HOUR_MS, MINUTE_MS, epochDay } from "#lib/core/clock.ts";
import { TEAMS, type Team } from "#lib/db/column-values.ts";

export interface ExamplePost {
  readonly slug: string;
  readonly publishedMs: number;
}

export interface ExampleMember {
  readonly id: string;
  readonly team: Team;
  readonly createdAt: number;
}

export interface ExampleRead {
  readonly postSlug: string;
  readonly createdAt: number;
  /** Null for an anonymous reader. */
  readonly userId: string | null;
  readonly clientId: string | null;
}

/** Sunday first. */
const WEEKDAYS = [0.55, 1.15, 1.25, 1.2, 1.1, 0.9, 0.45];
/** Days until a new post has half its readers. */
const HALF_LIFE_DAYS = 9;
/** How often a team has a strong phase. */
const PHASE_DAYS = 75;
const WEEK_MS = 7 * DAY_MS;

/** Returns the reads of the year before `nowMs`, oldest first. No reader reads a post twice a week. */
export function makeExampleReads(
  posts: readonly ExamplePost[],
  members: readonly ExampleMember[],
  { nowMs, random }: { nowMs: number; random: () => number },
): ExampleRead[] {
  const reads: ExampleRead[] = [];
  const lastReadMs = new Map<string, number>();
  const start = Math.min(...posts.map(({ publishedMs }) => publishedMs), nowMs);
  const firstDay = Math.max(epochDay(start), epochDay(nowMs) - 365);
  for (let day = firstDay; day <= epochDay(nowMs); day++)
    for (const { slug, publishedMs } of posts) {
      const age = day - epochDay(publishedMs);
      if (age < 0) continue;
      const weekday = WEEKDAYS[new Date(day * DAY_MS).getUTCDay()]!;
      const expected = weekday * (0.35 + 5 * 2 ** (-age / HALF_LIFE_DAYS));
      for (let i = Math.floor(expected + random()); i > 0; i--) {
        const createdAt = day * DAY_MS + pickTimeOfDay(random);
        const member = random() < 0.45 ? pickMember(members, createdAt, random) : null;
        const key = `${member?.id} ${slug}`;
        if (createdAt < publishedMs || createdAt > nowMs) continue;
        if (member && createdAt - (lastReadMs.get(key) ?? 0) < WEEK_MS) continue;
        lastReadMs.set(key, createdAt);
        reads.push({
          postSlug: slug,
          createdAt,
          userId: member?.id ?? null,
          clientId: member ? null : `example-${reads.length}`,
        });
      }
    }
  return reads.sort((a, b) => a.createdAt - b.createdAt);
}

/** Mostly between 07:00 and 22:00 UTC. */
function pickTimeOfDay(random: () => number): number {
  const hour = random() < 0.9 ? 7 + Math.floor(random() * 15) : Math.floor(random() * 24);
  return hour * HOUR_MS + Math.floor(random() * 60) * MINUTE_MS;
}

/** Returns a member who has joined by then, more likely of the team whose phase it is. */
function pickMember(
  members: readonly ExampleMember[],
  ms: number,
  random: () => number,
): ExampleMember | null {
  const joined = members.filter(({ createdAt }) => createdAt <= ms);
  const weightOf = ({ team }: ExampleMember) =>
    1.3 + Math.sin((ms / DAY_MS / PHASE_DAYS + TEAMS.indexOf(team) / TEAMS.length) * 2 * Math.PI);
  let rest = random() * joined.reduce((sum, member) => sum + weightOf(member), 0);
  return joined.find((member) => (rest -= weightOf(member)) <= 0) ?? null;
}
