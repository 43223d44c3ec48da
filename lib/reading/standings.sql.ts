// Sums the counter tables by team, in plain SQL. The two sums of a post take 0.03 ms here and 0.5 ms
// as two groupBy() calls of Prisma, and the beacon's transaction is synchronous.

import type { Tx } from "#lib/db/database.ts";
import { type Sql, sqlOf } from "#lib/db/sql.ts";
import { TEAMS, type Team } from "./team.ts";

export type CountsByTeam = Record<Team, number>;

// One sum per team: with GROUP BY, SQLite would sort the window's rows.
const SUMS_BY_TEAM_SQL = TEAMS.map(
  (team) => `COALESCE(SUM("reads") FILTER (WHERE "team" = '${team}'), 0) AS "${team}"`,
).join(", ");

/** Returns the reads of a post (WHOLE_SITE: the site) by team since `fromDay`. Scans one index range. */
export const sumReadsByTeam = (tx: Tx | Sql, slug: string, fromDay: number): CountsByTeam =>
  sqlOf(tx).get<CountsByTeam>(
    `SELECT ${SUMS_BY_TEAM_SQL} FROM "PostTeamDay" WHERE "postSlug" = ? AND "day" >= ?`,
    slug,
    fromDay,
  )!;

/**
 * Returns how many members of each team have read anything since `fromDay`. Scans one index range
 * per team.
 */
export const countActiveMembers = (tx: Tx | Sql, fromDay: number): CountsByTeam =>
  sqlOf(tx).get<CountsByTeam>(
    `SELECT ${TEAMS.map((team) => `(SELECT COALESCE(SUM("members"), 0) FROM "TeamActiveDay" WHERE "team" = '${team}' AND "day" >= "from") AS "${team}"`).join(", ")}
     FROM (SELECT ? AS "from")`,
    fromDay,
  )!;

/**
 * Returns what sumReadsByTeam() returns, for every post with reads: a few milliseconds at a few
 * hundred posts.
 */
export const sumReadsOfAllPosts = (
  tx: Tx | Sql,
  fromDay: number,
): (CountsByTeam & { readonly slug: string })[] =>
  sqlOf(tx).all(
    `SELECT "PostTotal"."postSlug" AS "slug", ${SUMS_BY_TEAM_SQL.replaceAll(`"reads"`, `"PostTeamDay"."reads"`)}
     FROM "PostTotal" CROSS JOIN "PostTeamDay" ON "PostTeamDay"."postSlug" = "PostTotal"."postSlug" AND "day" >= ?
     GROUP BY "PostTotal"."postSlug"`,
    fromDay,
  );
