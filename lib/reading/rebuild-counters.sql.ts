// Computes all counters from PostRead and User, to repair them or to check the triggers that
// maintain them. In plain SQL, because SQLite aggregates a million reads in a second, and because a
// migration runs it on its staging database.

import type { Tx } from "#lib/db/database.ts";
import { type Sql, sqlOf } from "#lib/db/sql.ts";
import { MAX_GAP_DAYS } from "./standings.ts";

// Each SELECT returns the rows that a counter table must have. `days` is the source of reads by
// post, day and team: PostRead for a check, the first step's result for a rebuild, so that five
// million rows are sorted only once.
const DAILY_READS_SQL = `(SELECT "postSlug", "r"."createdAt" / 86400000 AS "day", COALESCE("team", 'UNKNOWN') AS "team", COUNT(*) AS "reads"
  FROM "PostRead" AS "r" LEFT JOIN "User" ON "User"."id" = "r"."userId" GROUP BY 1, 2, 3)`;
const REBUILT_DAILY_READS_SQL = `(SELECT * FROM "PostTeamDay" WHERE "postSlug" <> '')`;

const postDailySql = (days: string) => `SELECT "postSlug", "day", "team", "reads" FROM ${days}`;
const siteDailySql = (days: string) =>
  `SELECT '' AS "postSlug", "day", "team", SUM("reads") AS "reads" FROM ${days} GROUP BY 2, 3`;
const postTotalsSql = (days: string) =>
  `SELECT "postSlug", SUM("reads") AS "reads" FROM ${days} GROUP BY 1`;

// Only reads since the day of sign-up count as activity. After a gap of more than a year, a member
// counts as new.
const LAST_READS_SQL = `SELECT "userId", "team", MAX("day") AS "day", MAX(CASE WHEN "day" - "previous" <= ${MAX_GAP_DAYS} THEN NULL ELSE "day" END) AS "activeSince"
  FROM (SELECT "User"."id" AS "userId", "team", "r"."createdAt" / 86400000 AS "day",
    LAG("r"."createdAt" / 86400000) OVER (PARTITION BY "User"."id" ORDER BY "r"."createdAt") AS "previous"
    FROM "PostRead" AS "r" JOIN "User" ON "User"."id" = "r"."userId" WHERE "r"."createdAt" / 86400000 >= "User"."createdAt" / 86400000)
  GROUP BY 1`;
const countMembersSql = (column: "day" | "activeSince") =>
  `SELECT "team", "${column}" AS "day", COUNT(*) AS "members" FROM (${LAST_READS_SQL}) GROUP BY 1, 2`;

// Anonymous readers are the IDs on rows without a member. Counting them directly looks up every
// index row (17 s for five million rows). Subtracting the IDs that occur only with members from all
// IDs takes half a second.
const SITE_TOTAL_SQL = `SELECT 1 AS "id", (SELECT COUNT(*) FROM "PostRead") AS "reads",
  (SELECT COUNT(DISTINCT "userId") FROM "PostRead" WHERE "userId" IS NOT NULL) + (SELECT COUNT(DISTINCT "clientId") FROM "PostRead" WHERE "clientId" IS NOT NULL)
  - (SELECT COUNT(*) FROM (SELECT DISTINCT "clientId" AS "c" FROM "PostRead" NOT INDEXED WHERE "userId" IS NOT NULL AND "clientId" IS NOT NULL)
     WHERE NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "clientId" = "c" AND "userId" IS NULL)) AS "readers"`;

// MemberLastRead after the two that its trigger would subtract from, as they may be wrong.
const REBUILT_TABLES = [
  "TeamActiveDay",
  "TeamActiveSince",
  "MemberLastRead",
  "PostTeamDay",
  "PostTotal",
  "SiteTotal",
];

/**
 * Rebuilds all counters from PostRead and User in the caller's write transaction, and returns the
 * site's totals. Takes about a second per million reads, during which other writes wait.
 */
export function rebuildCounters(tx: Tx | Sql): { reads: number; readers: number } {
  const sql = sqlOf(tx);
  for (const table of REBUILT_TABLES) sql.run(`DELETE FROM "${table}"`);
  sql.run(
    `INSERT INTO "PostTeamDay" ("postSlug", "day", "team", "reads") ${postDailySql(DAILY_READS_SQL)}`,
  );
  sql.run(
    `INSERT INTO "PostTeamDay" ("postSlug", "day", "team", "reads") ${siteDailySql(REBUILT_DAILY_READS_SQL)}`,
  );
  sql.run(
    `INSERT INTO "PostTotal" ("postSlug", "reads") ${postTotalsSql(REBUILT_DAILY_READS_SQL)}`,
  );
  // The trigger on MemberLastRead fills TeamActiveDay and TeamActiveSince.
  sql.run(
    `INSERT INTO "MemberLastRead" ("userId", "team", "day", "activeSince") ${LAST_READS_SQL}`,
  );
  sql.run(`INSERT INTO "SiteTotal" ("id", "reads", "readers") ${SITE_TOTAL_SQL}`);
  return sql.get<{ reads: number; readers: number }>(
    `SELECT "reads", "readers" FROM "SiteTotal"`,
  ) as { reads: number; readers: number };
}

export interface CounterMismatch {
  readonly table: string;
  /** The counter's key in its table. */
  readonly key: string;
  /** The value in the table; null if the row is missing. */
  readonly stored: string | null;
  /** The value computed from PostRead; null if the row should not exist. */
  readonly computed: string | null;
}

const COUNTER_CHECKS: { table: string; key: string; value: string; truth: string }[] = [
  {
    table: "PostTeamDay",
    key: `"postSlug" || ' ' || "day" || ' ' || "team"`,
    value: `"reads"`,
    truth: `${postDailySql(DAILY_READS_SQL)} UNION ALL ${siteDailySql(DAILY_READS_SQL)}`,
  },
  {
    table: "PostTotal",
    key: `"postSlug"`,
    value: `"reads"`,
    truth: postTotalsSql(DAILY_READS_SQL),
  },
  {
    table: "SiteTotal",
    key: `"id"`,
    value: `"reads" || ' by ' || "readers"`,
    truth: SITE_TOTAL_SQL,
  },
  {
    table: "MemberLastRead",
    key: `"userId"`,
    value: `"team" || ' ' || "day" || ' since ' || "activeSince"`,
    truth: LAST_READS_SQL,
  },
  {
    table: "TeamActiveDay",
    key: `"team" || ' ' || "day"`,
    value: `"members"`,
    truth: countMembersSql("day"),
  },
  {
    table: "TeamActiveSince",
    key: `"team" || ' ' || "day"`,
    value: `"members"`,
    truth: countMembersSql("activeSince"),
  },
];

/**
 * Returns the counters that differ from PostRead and User, at most ten per table. Takes a few
 * seconds per million reads.
 */
export function findCounterMismatches(tx: Tx | Sql): CounterMismatch[] {
  const sql = sqlOf(tx);
  return COUNTER_CHECKS.flatMap(({ table, key, value, truth }) =>
    sql
      .all<Omit<CounterMismatch, "table">>(
        `SELECT CAST("key" AS TEXT) AS "key", CAST(MAX("stored") AS TEXT) AS "stored", CAST(MAX("computed") AS TEXT) AS "computed" FROM (
           SELECT ${key} AS "key", ${value} AS "stored", NULL AS "computed" FROM "${table}"
           UNION ALL SELECT ${key}, NULL, ${value} FROM (${truth}))
         GROUP BY "key" HAVING MAX("stored") IS NOT MAX("computed") LIMIT 10`,
      )
      .map((row) => ({ table, ...row })),
  );
}
