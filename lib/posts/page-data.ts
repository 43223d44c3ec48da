// Reads a page's data about reads and teams in one read transaction.

import { epochDay, nowMs } from "#lib/core/clock.ts";
import { singleton } from "#lib/core/singleton.ts";
import { cachedUntilChange } from "#lib/db/cached-until-change.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { type ReaderPost, findReaderPost } from "#lib/reading/reader-post.sql.ts";
import { listReadSlugs } from "#lib/reading/read-slugs.sql.ts";
import { countPostReads, getPostTotals, getSiteTotals } from "#lib/reading/read-totals.ts";
import { type SessionIds, type Viewer, resolveViewer } from "#lib/members/viewer.ts";
import { type Standing, mapLeadingTeams, getStandings } from "#lib/reading/standings.ts";
import type { LeadingTeams } from "#lib/reading/lead.ts";

/** Finding the leading teams of a few hundred posts takes milliseconds, so they may be this old. */
const LEADING_TEAMS_TTL_MS = 1_000;

export interface PageData {
  readonly viewer: Viewer;
  /** The standings for the post or the site, best first. */
  readonly standings: readonly Standing[];
  readonly leadingTeams: ReadonlyMap<string, LeadingTeams>;
  /** Slugs of posts the viewer has read. */
  readonly readSlugs: ReadonlySet<string>;
  /**
   * Reads by slug at this process's first request of the UTC day, so that recommendations are
   * stable.
   */
  readonly startOfDayTotals: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

const caches = singleton(
  "page-data",
  (): {
    leadingTeams?: {
      readonly loadedAtMs: number;
      readonly value: ReadonlyMap<string, LeadingTeams>;
    };
    startOfDayTotals?: { readonly day: number; readonly value: ReadonlyMap<string, number> };
  } => ({}),
);

/** Part of the keys, because the windows of the standings move at midnight without a commit. */
const today = () => epochDay(nowMs());

async function queryPageData(tx: Tx, sessionIds: SessionIds): Promise<Omit<PageData, "standings">> {
  const now = nowMs();
  const viewer = await resolveViewer(tx, sessionIds);
  let { leadingTeams, startOfDayTotals } = caches;
  if (!leadingTeams || Math.abs(now - leadingTeams.loadedAtMs) > LEADING_TEAMS_TTL_MS)
    caches.leadingTeams = leadingTeams = { loadedAtMs: now, value: mapLeadingTeams(tx, now) };
  if (startOfDayTotals?.day !== epochDay(now))
    caches.startOfDayTotals = startOfDayTotals = {
      day: epochDay(now),
      value: await getPostTotals(tx),
    };
  return {
    viewer,
    leadingTeams: leadingTeams.value,
    readSlugs: listReadSlugs(tx, viewer),
    startOfDayTotals: startOfDayTotals.value,
    nowMs: now,
  };
}

export interface PostPageData extends PageData {
  readonly reads: number;
  /** Null for readers who aren't members. */
  readonly readerPost: ReaderPost | null;
}

/**
 * Returns the data for a post's page, including its reads. `countedSlug`: the post with whose reads
 * a translation counts.
 */
export function readPostPageData(
  sessionIds: SessionIds,
  slug: string,
  countedSlug = slug,
): Promise<PostPageData> {
  return read((tx) => queryPostPageData(tx, sessionIds, { slug, countedSlug }));
}

async function queryPostPageData(
  tx: Tx,
  sessionIds: SessionIds,
  { slug, countedSlug }: { slug: string; countedSlug: string },
): Promise<PostPageData> {
  // The same for every reader until the next commit. cachedUntilChange() must come first.
  const post = await cachedUntilChange(tx, `post:${today()}:${countedSlug}`, async () => ({
    standings: getStandings(tx, { slug: countedSlug, nowMs: nowMs() }),
    reads: await countPostReads(tx, countedSlug),
  }));
  const data = await queryPageData(tx, sessionIds);
  const { member } = data.viewer;
  const readerPost = member && findReaderPost(tx, { userId: member.id, slug, countedSlug });
  return { ...post, ...data, readerPost };
}

/**
 * Returns the data for lists and the home page, including the totals of the site and of every post.
 */
export function readSitePageData(sessionIds: SessionIds): Promise<
  PageData & {
    readonly totals: { reads: number; readers: number };
    readonly postTotals: ReadonlyMap<string, number>;
  }
> {
  return read(async (tx) => {
    const site = await cachedUntilChange(tx, `site:${today()}`, async () => ({
      standings: getStandings(tx, { slug: null, nowMs: nowMs() }),
      totals: await getSiteTotals(tx),
      postTotals: await getPostTotals(tx),
    }));
    return { ...site, ...(await queryPageData(tx, sessionIds)) };
  });
}

/** Returns the viewer's key for daily random choices; "" for viewers without an id. */
export function viewerKey({ member, clientId }: Viewer): string {
  return member?.id ?? clientId ?? "";
}
