// Everything that a page shows about reads and teams, read in one snapshot.

import { dayOf, nowMs } from "#lib/base/clock.ts";
import type { Sql } from "#lib/db/connection.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { postTotals, readSlugs, totals } from "#lib/reads/totals.ts";
import { type Identity, type Reader, findReader } from "#lib/session/session.ts";
import { type Standing, leaders, standings } from "#lib/teams/standings.ts";
import type { Team } from "#lib/teams/team.ts";

/** Who leads each post changes some times a day and costs milliseconds: a list may be this old. */
const LEADERS_TTL_MS = 10_000;

export interface ReadingData {
  readonly reader: Reader;
  /** Of the post asked for, or of the site; best first. */
  readonly standings: readonly Standing[];
  readonly leaders: ReadonlyMap<string, Team>;
  /** Slugs that this reader has read. */
  readonly read: ReadonlySet<string>;
  /** Reads by slug as they were when this day began for this process: what is recommended stays the same all day. */
  readonly dayTotals: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

let leadersKept: { at: number; value: Map<string, Team> } | undefined;
let dayKept: { day: number; value: Map<string, number> } | undefined;

function read(sql: Sql, identity: Identity, slug: string | null): ReadingData {
  const now = nowMs();
  const reader = findReader(sql, identity);
  if (!leadersKept || Math.abs(now - leadersKept.at) > LEADERS_TTL_MS)
    leadersKept = { at: now, value: leaders(sql, now) };
  if (dayKept?.day !== dayOf(now)) dayKept = { day: dayOf(now), value: postTotals(sql) };
  return {
    reader,
    standings: standings(sql, { slug, nowMs: now }),
    leaders: leadersKept.value,
    read: readSlugs(sql, { member: reader.member, clientId: reader.clientId }),
    dayTotals: dayKept.value,
    nowMs: now,
  };
}

/** For the page of one post: also its reads. */
export const readPost = (
  sql: Sql,
  identity: Identity,
  slug: string,
): ReadingData & { readonly reads: number } => ({
  ...read(sql, identity, slug),
  reads:
    sql.get<{ reads: number }>(`SELECT "reads" FROM "PostTotal" WHERE "postSlug" = ?`, slug)
      ?.reads ?? 0,
});

export function readPostData(
  identity: Identity,
  slug: string,
): Promise<ReturnType<typeof readPost>> {
  return snapshotSql((sql) => readPost(sql, identity, slug));
}

/** For lists and the home page: also the totals of the site and of every post. */
export function readSiteData(
  identity: Identity,
): Promise<
  ReadingData & {
    readonly totals: { reads: number; readers: number };
    readonly postTotals: ReadonlyMap<string, number>;
  }
> {
  return snapshotSql((sql) => ({
    ...read(sql, identity, null),
    totals: totals(sql),
    postTotals: postTotals(sql),
  }));
}

/** What tells this reader apart where something is chosen by chance for a day; "" for everybody without an id. */
export function readerKey({ member, clientId }: Reader): string {
  return member?.id ?? clientId ?? "";
}
