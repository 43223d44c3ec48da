// What the page of the teams shows.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readSitePageData } from "#lib/posts/page-data.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { readSql } from "#lib/db/database.ts";
import { listPosts } from "#lib/posts/post.ts";
import type { SessionIds } from "#lib/members/session/session.ts";
import { type PastLeadChange, listLeadChanges } from "#lib/reading/lead-history.ts";
import {
  type StandingsSnapshot,
  getStandingsHistory,
  getCurrentStandings,
} from "#lib/reading/standings-history.ts";
import type { Standing } from "#lib/reading/standings.ts";
import { TEAMS, type Team, parseTeam } from "#lib/reading/team.ts";

const MAX_CHANGES = 8;
/** Looked through for changes that concern a post which is there. */
const MAX_CHANGES_READ = 60;

export interface TeamsData {
  /** The reader's own; null for who is not a member. */
  readonly viewerTeam: Team | null;
  readonly standings: readonly Standing[];
  /** Oldest first, the last one is now; begins with the first week in which any team has a read. */
  readonly history: readonly StandingsSnapshot[];
  /** How many of the listed posts each team leads, in the order of the teams. */
  readonly leads: readonly { readonly team: Team; readonly count: number }[];
  readonly postCount: number;
  /** Listed posts that nobody leads. */
  readonly postsWithoutLead: number;
  /** `title` is null for the whole site. */
  readonly changes: readonly (PastLeadChange & {
    readonly title: string | null;
    readonly date: string;
  })[];
}

/** For whoever reads; the same for everybody but for `ownTeam`. */
export async function readTeamsData(identity: SessionIds): Promise<TeamsData> {
  const posts = listPosts(await getIndex());
  const titles = new Map(posts.map(({ slug, frontMatter }) => [slug, frontMatter.title]));
  const { viewer, standings, leadingTeams, nowMs } = await readSitePageData(identity);
  const past = await getStandingsHistory(nowMs);
  const { changes, present } = await readSql((sql) => ({
    changes: listLeadChanges(sql, MAX_CHANGES_READ),
    present: getCurrentStandings(sql, nowMs),
  }));
  const began = past.findIndex(({ teams }) => teams.some(({ reads }) => reads > 0));
  const led = posts.map(({ slug }) => leadingTeams.get(slug));
  return {
    viewerTeam: parseTeam(viewer.member?.team),
    standings,
    history: began < 0 ? [present] : [...past.slice(began), present],
    leads: TEAMS.map((team) => ({ team, count: led.filter((leader) => leader === team).length })),
    postCount: posts.length,
    postsWithoutLead: led.filter((leader) => leader === undefined).length,
    changes: changes
      .filter(({ slug }) => slug === null || titles.has(slug))
      .slice(0, MAX_CHANGES)
      .map((change) => ({
        ...change,
        title: change.slug === null ? null : titles.get(change.slug)!,
        date: new Date(Math.floor(change.atMs / DAY_MS) * DAY_MS).toISOString().slice(0, 10),
      })),
  };
}
