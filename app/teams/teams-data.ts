// Reads the data of /teams.

import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { readSitePageData } from "#lib/posts/page-data.ts";
import { formatIsoDate } from "#lib/core/format.ts";
import { read } from "#lib/db/database.ts";
import { postUrlPath } from "#lib/posts/addresses/post-address.ts";
import { listPosts } from "#lib/posts/post.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { type PastLeadChange, listLeadChanges } from "#lib/reading/lead-history.ts";
import {
  type StandingsSnapshot,
  getStandingsHistory,
  getCurrentStandings,
} from "#lib/reading/standings-history.ts";
import type { Standing } from "#lib/reading/standings.ts";
import { TEAMS, type Team, parseTeam } from "#lib/reading/team.ts";

const MAX_CHANGES = 8;
/** How many changes to read, to find enough whose posts still exist. */
const MAX_CHANGES_READ = 60;

export interface TeamsData {
  /** null for an anonymous reader. */
  readonly viewerTeam: Team | null;
  readonly standings: readonly Standing[];
  /** Oldest first, the last one is now; starts with the first week with reads. */
  readonly history: readonly StandingsSnapshot[];
  /** How many listed posts each team leads, in the order of TEAMS. */
  readonly leads: readonly { readonly team: Team; readonly count: number }[];
  readonly postCount: number;
  /** Listed posts with a tie for the lead. */
  readonly tiedPosts: number;
  /** Listed posts without reads by members. */
  readonly postsWithoutLead: number;
  /** `title` is null for the whole site. */
  readonly changes: readonly (PastLeadChange & {
    readonly title: string | null;
    readonly path: string | null;
    readonly date: string;
  })[];
}

/** Returns the same data for every viewer, except `viewerTeam`. */
export async function readTeamsData(sessionIds: SessionIds): Promise<TeamsData> {
  const posts = listPosts(await getIndex());
  const postsBySlug = new Map(posts.map((post) => [post.slug, post]));
  const { viewer, standings, leadingTeams, nowMs } = await readSitePageData(sessionIds);
  const pastStandings = await getStandingsHistory(nowMs);
  const { changes, currentStandings } = await read(async (tx) => ({
    changes: await listLeadChanges(tx, MAX_CHANGES_READ),
    currentStandings: getCurrentStandings(tx, nowMs),
  }));
  const firstWeek = pastStandings.findIndex(({ teams }) => teams.some(({ reads }) => reads > 0));
  const leads = posts.map(({ slug }) => leadingTeams.get(slug) ?? []);
  return {
    viewerTeam: parseTeam(viewer.member?.team),
    standings,
    history:
      firstWeek < 0 ? [currentStandings] : [...pastStandings.slice(firstWeek), currentStandings],
    leads: TEAMS.map((team) => ({
      team,
      count: leads.filter((teams) => teams.length === 1 && teams[0] === team).length,
    })),
    postCount: posts.length,
    tiedPosts: leads.filter((teams) => teams.length > 1).length,
    postsWithoutLead: leads.filter((teams) => teams.length === 0).length,
    changes: changes
      .filter(({ slug }) => slug === null || postsBySlug.has(slug))
      .slice(0, MAX_CHANGES)
      .map((change) => {
        const post = change.slug === null ? null : postsBySlug.get(change.slug)!;
        return {
          ...change,
          title: post && post.frontMatter.title,
          path: post && postUrlPath(post),
          date: formatIsoDate(change.changedAtMs),
        };
      }),
  };
}
