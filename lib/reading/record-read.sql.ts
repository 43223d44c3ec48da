// Runs the statements of recordRead() in plain SQL: a counted read takes 0.016 ms in a group
// commit, where one Prisma query takes 0.12 ms.

import { DAY_MS } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { type Sql, sqlOf } from "#lib/db/sql.ts";
import type { Reader } from "./reader-id.ts";

/** A reader's next read of the same post counts only after this time. */
export const DEDUPLICATION_WINDOW_MS = 7 * DAY_MS;
/**
 * Expired tokens deleted with each counted read: more than it adds, so the table holds about one
 * day's worth.
 */
const SWEEP_LIMIT = 4;

// Looks a week in both directions, because after a failover, the clock may be slightly behind the
// newest row.
const hasRecentReadSql = (isSameReader: string) =>
  `EXISTS (SELECT 1 FROM "PostRead" AS "old" WHERE ${isSameReader} AND "old"."postSlug" = "slug"
    AND "old"."createdAt" > "now" - ${DEDUPLICATION_WINDOW_MS} AND "old"."createdAt" < "now" + ${DEDUPLICATION_WINDOW_MS})`;
const HAS_MEMBER_READ_SQL = hasRecentReadSql(`"old"."userId" = "user"`);
const HAS_ANONYMOUS_READ_SQL = hasRecentReadSql(
  `"old"."clientId" = "client" AND "old"."userId" IS NULL`,
);

// Checks and inserts in a single statement.
const insertReadSql = (
  hasRecentReadCondition: string,
) => `INSERT INTO "PostRead" ("id", "createdAt", "userId", "clientId", "postSlug")
  SELECT "id", "now", "user", "client", "slug"
  FROM (SELECT ? AS "id", ? AS "now", ? AS "user", ? AS "client", ? AS "slug", ? AS "token", ? AS "until") AS "new"
  WHERE NOT EXISTS (SELECT 1 FROM "UsedToken" WHERE "expiresAt" = "until" AND "nonce" = "token")
  AND NOT ${hasRecentReadCondition}`;
const INSERT_MEMBER_READ_SQL = insertReadSql(HAS_MEMBER_READ_SQL);
const INSERT_ANONYMOUS_READ_SQL = insertReadSql(HAS_ANONYMOUS_READ_SQL);

/** Returns true if a read by this reader counted within DEDUPLICATION_WINDOW_MS, so none counts now. */
export const hasRecentRead = (
  tx: Tx | Sql,
  { member, clientId, slug, nowMs }: Reader & { slug: string; nowMs: number },
): boolean =>
  sqlOf(tx).get(
    `SELECT 1 FROM (SELECT ? AS "now", ? AS "user", ? AS "client", ? AS "slug") AS "new" WHERE ${
      member ? HAS_MEMBER_READ_SQL : HAS_ANONYMOUS_READ_SQL
    }`,
    nowMs,
    member?.id ?? null,
    clientId,
    slug,
  ) !== undefined;

export interface NewRead {
  readonly id: string;
  readonly nowMs: number;
  /** null for an anonymous reader, who has a clientId. */
  readonly userId: string | null;
  readonly clientId: string | null;
  readonly slug: string;
  readonly nonce: string;
  readonly expiresAtMs: number;
}

/**
 * Returns true if it inserted the read. Returns false if the token was used, or a read by this
 * reader counted within 7 days.
 */
export const insertReadOnce = (tx: Tx | Sql, read: NewRead): boolean =>
  sqlOf(tx).run(
    read.userId === null ? INSERT_ANONYMOUS_READ_SQL : INSERT_MEMBER_READ_SQL,
    read.id,
    read.nowMs,
    read.userId,
    read.clientId,
    read.slug,
    read.nonce,
    read.expiresAtMs,
  ).changes > 0;

type Token = Pick<NewRead, "nonce" | "expiresAtMs">;

export const isTokenUsed = (tx: Tx | Sql, { nonce, expiresAtMs }: Token): boolean =>
  sqlOf(tx).get(
    `SELECT 1 FROM "UsedToken" WHERE "expiresAt" = ? AND "nonce" = ?`,
    expiresAtMs,
    nonce,
  ) !== undefined;

/** Marks the token as used, and deletes a few expired ones. */
export function consumeToken(tx: Tx | Sql, { nonce, expiresAtMs }: Token, nowMs: number): void {
  sqlOf(tx).run(`INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES (?, ?)`, nonce, expiresAtMs);
  sqlOf(tx).run(
    `DELETE FROM "UsedToken" WHERE ("expiresAt", "nonce") IN (SELECT "expiresAt", "nonce" FROM "UsedToken" WHERE "expiresAt" <= ? ORDER BY "expiresAt" LIMIT ${SWEEP_LIMIT})`,
    nowMs,
  );
}
