// Queries the data of a post's page in plain SQL with hand-written row types. It is the baseline
// for Prisma, and sends what a site with a remote PostgreSQL would send.

import { epochDay, nowMs } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/sql.ts";
import type { Member } from "#lib/members/member.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { findReaderPost } from "#lib/reading/reader-post.sql.ts";
import { getStandings, mapLeadingTeams } from "#lib/reading/standings.ts";
import type { LeadingTeams } from "#lib/reading/lead.ts";
import type { readPostPageData } from "#lib/posts/page-data.ts";

type PostPageData = Awaited<ReturnType<typeof readPostPageData>>;

/** The site caches the leading teams for the same time. */
const LEADING_TEAMS_TTL_MS = 1_000;
let leadingTeams: { loadedAtMs: number; value: Map<string, LeadingTeams> } | undefined;
let startOfDayTotals: { day: number; value: Map<string, number> } | undefined;

export function queryPostPageDataInSql(
  sql: Sql,
  { sessionKey, clientId }: SessionIds,
  slug: string,
): PostPageData {
  const now = nowMs();
  const member =
    sql.get<Member>(
      `SELECT u."id", u."firstName", u."team", u."role", s."id" AS "sessionKey", s."createdAt" AS "loggedInAtMs" FROM "Session" s JOIN "User" u ON u."id" = s."userId" WHERE s."id" = ? AND s."expirationDate" > ?`,
      sessionKey,
      now,
    ) ?? null;
  if (!leadingTeams || now - leadingTeams.loadedAtMs > LEADING_TEAMS_TTL_MS)
    leadingTeams = { loadedAtMs: now, value: mapLeadingTeams(sql, now) };
  if (startOfDayTotals?.day !== epochDay(now))
    startOfDayTotals = { day: epochDay(now), value: listPostTotals(sql) };
  return {
    viewer: { member, clientId },
    standings: getStandings(sql, { slug, nowMs: now }),
    leadingTeams: leadingTeams.value,
    readSlugs: member ? listReadSlugs(sql, member.id) : new Set(),
    startOfDayTotals: startOfDayTotals.value,
    nowMs: now,
    readerPost: member && findReaderPost(sql, { userId: member.id, slug }),
    reads:
      sql.get<{ reads: number }>(`SELECT "reads" FROM "PostTotal" WHERE "postSlug" = ?`, slug)
        ?.reads ?? 0,
  };
}

const listReadSlugs = (sql: Sql, userId: string): Set<string> =>
  new Set(
    sql
      .all<{ slug: string }>(
        `SELECT DISTINCT "postSlug" AS "slug" FROM "PostRead" WHERE "userId" = ?`,
        userId,
      )
      .map(({ slug }) => slug),
  );

const listPostTotals = (sql: Sql): Map<string, number> =>
  new Map(
    sql
      .all<{ slug: string; reads: number }>(`SELECT "postSlug" AS "slug", "reads" FROM "PostTotal"`)
      .map(({ slug, reads }) => [slug, reads]),
  );
