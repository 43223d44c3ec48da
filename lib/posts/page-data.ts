// Reads a page's data about reads and teams in one read transaction.

import { epochDay, nowMs } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql } from "#lib/db/database.ts";
import { getPostTotals, listReadSlugs, getSiteTotals } from "#lib/reading/read-totals.ts";
import { type SessionIds, type Viewer, resolveViewer } from "#lib/members/viewer.ts";
import { type Standing, mapLeadingTeams, getStandings } from "#lib/reading/standings.ts";
import type { Team } from "#lib/reading/team.ts";

/** Leading teams change a few times a day and cost milliseconds to compute. */
const LEADING_TEAMS_TTL_MS = 10_000;

export interface PageData {
  readonly viewer: Viewer;
  /** The standings for the post or the site, best first. */
  readonly standings: readonly Standing[];
  readonly leadingTeams: ReadonlyMap<string, Team>;
  /** Slugs of posts the viewer has read. */
  readonly readSlugs: ReadonlySet<string>;
  /**
   * Reads by slug at this process's first request of the UTC day, so that recommendations are
   * stable.
   */
  readonly startOfDayTotals: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

let leadingTeamsCache: { loadedAtMs: number; value: Map<string, Team> } | undefined;
let startOfDayTotalsCache: { day: number; value: Map<string, number> } | undefined;

function queryPageData(sql: Sql, identity: SessionIds, slug: string | null): PageData {
  const now = nowMs();
  const viewer = resolveViewer(sql, identity);
  if (!leadingTeamsCache || Math.abs(now - leadingTeamsCache.loadedAtMs) > LEADING_TEAMS_TTL_MS)
    leadingTeamsCache = { loadedAtMs: now, value: mapLeadingTeams(sql, now) };
  if (startOfDayTotalsCache?.day !== epochDay(now))
    startOfDayTotalsCache = { day: epochDay(now), value: getPostTotals(sql) };
  return {
    viewer,
    standings: getStandings(sql, { slug, nowMs: now }),
    leadingTeams: leadingTeamsCache.value,
    readSlugs: listReadSlugs(sql, { member: viewer.member, clientId: viewer.clientId }),
    startOfDayTotals: startOfDayTotalsCache.value,
    nowMs: now,
  };
}

/** Returns the data for a post's page, including its reads. */
export const queryPostPageData = (
  sql: Sql,
  identity: SessionIds,
  slug: string,
): PageData & { readonly reads: number } => ({
  ...queryPageData(sql, identity, slug),
  reads:
    sql.get<{ reads: number }>(`SELECT "reads" FROM "PostTotal" WHERE "postSlug" = ?`, slug)
      ?.reads ?? 0,
});

/** Runs queryPostPageData in a read transaction. */
export function readPostPageData(
  identity: SessionIds,
  slug: string,
): Promise<ReturnType<typeof queryPostPageData>> {
  return readSql((sql) => queryPostPageData(sql, identity, slug));
}

/**
 * Returns the data for lists and the home page, including the totals of the site and of every post.
 */
export function readSitePageData(identity: SessionIds): Promise<
  PageData & {
    readonly totals: { reads: number; readers: number };
    readonly postTotals: ReadonlyMap<string, number>;
  }
> {
  return readSql((sql) => ({
    ...queryPageData(sql, identity, null),
    totals: getSiteTotals(sql),
    postTotals: getPostTotals(sql),
  }));
}

/** Returns the viewer's key for daily random choices; "" for viewers without an id. */
export function viewerKey({ member, clientId }: Viewer): string {
  return member?.id ?? clientId ?? "";
}
