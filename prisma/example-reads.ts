// Generates a year of realistic example reads: more on weekdays and after a post's publication,
// with teams that take turns in the lead.

import { DAY_MS, HOUR_MS, MINUTE_MS, epochDay } from "#lib/core/clock.ts";
import { DIRECT, OTHER } from "#lib/reading/referrer-host.ts";
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

/** Where readers come from, and how many of them finish. */
const REFERRERS = [
  { host: DIRECT, share: 0.46, completion: 0.52 },
  { host: "google.com", share: 0.27, completion: 0.31 },
  { host: "news.ycombinator.com", share: 0.12, completion: 0.22 },
  { host: "lobste.rs", share: 0.07, completion: 0.41 },
  { host: "bsky.app", share: 0.05, completion: 0.37 },
  { host: OTHER, share: 0.03, completion: 0.3 },
];

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

export interface ExampleViews {
  readonly day: number;
  readonly postSlug: string;
  readonly host: string;
  readonly started: number;
  readonly finished: number;
}

/** Returns the views to which the reads belong, with those that did not finish. */
export function makeExampleViews(
  reads: readonly ExampleRead[],
  random: () => number,
): ExampleViews[] {
  const rows = new Map<string, ExampleViews>();
  for (const { postSlug, createdAt } of reads) {
    let rest = random();
    const { host, completion } =
      REFERRERS.find(({ share }) => (rest -= share) <= 0) ?? REFERRERS[0]!;
    const day = epochDay(createdAt);
    const key = `${day} ${postSlug} ${host}`;
    const { started, finished } = rows.get(key) ?? { started: 0, finished: 0 };
    rows.set(key, {
      day,
      postSlug,
      host,
      started: started + Math.max(1, Math.floor(1 / completion + random() - 0.5)),
      finished: finished + 1,
    });
  }
  return [...rows.values()];
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
