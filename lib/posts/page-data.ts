// Reads what a page shows about reads and teams, in one read transaction.

import { epochDay, nowMs } from "#lib/core/clock.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { getPostTotals, listReadSlugs, getSiteTotals } from "#lib/reading/read-totals.ts";
import { type SessionIds, type Viewer, resolveViewer } from "#lib/members/viewer.ts";
import { type Standing, mapLeadingTeams, getStandings } from "#lib/reading/standings.ts";
import type { Team } from "#lib/reading/team.ts";

/** Leading teams change a few times a day and cost milliseconds to compute. */
const LEADING_TEAMS_TTL_MS = 10_000;

export interface PageData {
  readonly viewer: Viewer;
  /** Of the post, or of the site; best first. */
  readonly standings: readonly Standing[];
  readonly leadingTeams: ReadonlyMap<string, Team>;
  /** Slugs of posts the viewer has read. */
  readonly readSlugs: ReadonlySet<string>;
  /** Reads by slug when the UTC day began for this process, so that recommendations are stable. */
  readonly startOfDayTotals: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

let leadingTeamsCache: { loadedAtMs: number; value: Map<string, Team> } | undefined;
let startOfDayTotalsCache: { day: number; value: Map<string, number> } | undefined;

function queryPageData(tx: Tx, identity: SessionIds, slug: string | null): PageData {
  const now = nowMs();
  const viewer = resolveViewer(tx, identity);
  if (!leadingTeamsCache || Math.abs(now - leadingTeamsCache.loadedAtMs) > LEADING_TEAMS_TTL_MS)
    leadingTeamsCache = { loadedAtMs: now, value: mapLeadingTeams(tx, now) };
  if (startOfDayTotalsCache?.day !== epochDay(now))
    startOfDayTotalsCache = { day: epochDay(now), value: getPostTotals(tx) };
  return {
    viewer,
    standings: getStandings(tx, { slug, nowMs: now }),
    leadingTeams: leadingTeamsCache.value,
    readSlugs: listReadSlugs(tx, { member: viewer.member, clientId: viewer.clientId }),
    startOfDayTotals: startOfDayTotalsCache.value,
    nowMs: now,
  };
}

/** For the page of a post: also its reads. */
export const queryPostPageData = (
  tx: Tx,
  identity: SessionIds,
  slug: string,
): PageData & { readonly reads: number } => ({
  ...queryPageData(tx, identity, slug),
  reads:
    sqlOf(tx).get<{ reads: number }>(`SELECT "reads" FROM "PostTotal" WHERE "postSlug" = ?`, slug)
      ?.reads ?? 0,
});

export function readPostPageData(
  identity: SessionIds,
  slug: string,
): Promise<ReturnType<typeof queryPostPageData>> {
  return read((tx) => queryPostPageData(tx, identity, slug));
}

/** For lists and the home page: also the totals of the site and of every post. */
export function readSitePageData(identity: SessionIds): Promise<
  PageData & {
    readonly totals: { reads: number; readers: number };
    readonly postTotals: ReadonlyMap<string, number>;
  }
> {
  return read((tx) => ({
    ...queryPageData(tx, identity, null),
    totals: getSiteTotals(tx),
    postTotals: getPostTotals(tx),
  }));
}

/** Returns the viewer's key for random choices of the day; "" for all viewers without an id. */
export function viewerKey({ member, clientId }: Viewer): string {
  return member?.id ?? clientId ?? "";
}
