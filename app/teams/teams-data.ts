// What the page of the teams shows.

import { getIndex } from "../_site/site.ts";
import { readSiteData } from "../blog/reading-data.ts";
import { DAY_MS } from "#lib/base/clock.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { listPosts } from "#lib/posts/post.ts";
import type { Identity } from "#lib/session/session.ts";
import { type PastOwnershipChange, recentOwnershipChanges } from "#lib/teams/history-of-leads.ts";
import { type PastStanding, pastStandings, presentStanding } from "#lib/teams/history.ts";
import type { Standing } from "#lib/teams/standings.ts";
import { TEAMS, type Team, getTeam } from "#lib/teams/team.ts";

const CHANGES = 8;
/** Looked through for changes that concern a post which is there. */
const CHANGES_READ = 60;

export interface TeamsData {
  /** The reader's own; null for who is not a member. */
  readonly ownTeam: Team | null;
  readonly standings: readonly Standing[];
  /** Oldest first, the last one is now; begins with the first week in which any team has a read. */
  readonly history: readonly PastStanding[];
  /** How many of the listed posts each team leads, in the order of the teams. */
  readonly leads: readonly { readonly team: Team; readonly count: number }[];
  readonly posts: number;
  /** Listed posts that nobody leads. */
  readonly unled: number;
  /** `title` is null for the whole site. */
  readonly changes: readonly (PastOwnershipChange & {
    readonly title: string | null;
    readonly date: string;
  })[];
}

/** For whoever reads; the same for everybody but for `ownTeam`. */
export async function readTeams(identity: Identity): Promise<TeamsData> {
  const posts = listPosts(await getIndex());
  const titles = new Map(posts.map(({ slug, frontMatter }) => [slug, frontMatter.title]));
  const { reader, standings, leaders, nowMs } = await readSiteData(identity);
  const past = await pastStandings(nowMs);
  const { changes, present } = await snapshotSql((sql) => ({
    changes: recentOwnershipChanges(sql, CHANGES_READ),
    present: presentStanding(sql, nowMs),
  }));
  const began = past.findIndex(({ teams }) => teams.some(({ reads }) => reads > 0));
  const led = posts.map(({ slug }) => leaders.get(slug));
  return {
    ownTeam: getTeam(reader.member?.team),
    standings,
    history: began < 0 ? [present] : [...past.slice(began), present],
    leads: TEAMS.map((team) => ({ team, count: led.filter((leader) => leader === team).length })),
    posts: posts.length,
    unled: led.filter((leader) => leader === undefined).length,
    changes: changes
      .filter(({ slug }) => slug === null || titles.has(slug))
      .slice(0, CHANGES)
      .map((change) => ({
        ...change,
        title: change.slug === null ? null : titles.get(change.slug)!,
        date: new Date(Math.floor(change.atMs / DAY_MS) * DAY_MS).toISOString().slice(0, 10),
      })),
  };
}
