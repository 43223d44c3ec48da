// Records reads: at most one per reader, post and 7 days, proven by a dwell token.

import { AppError } from "#lib/core/errors.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { createUuidV7 } from "#lib/core/uuid-v7.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { type Reader, createReaderId } from "./reader-id.ts";
import { getMinDwellMs, verifyDwellToken } from "./dwell-token.ts";

/** A reader's next read of the same post counts only after this time. */
export const DEDUPLICATION_WINDOW_MS = 7 * DAY_MS;
/**
 * Expired tokens deleted with each counted read: more than it adds, so the table holds about one
 * day's worth.
 */
const SWEEP_LIMIT = 4;

// Checks and inserts in a single statement. It looks a week in both directions, because after a
// failover the clock may be slightly behind the newest row.
const insertReadSql = (
  isSameReader: string,
) => `INSERT INTO "PostRead" ("id", "createdAt", "userId", "clientId", "postSlug")
  SELECT "id", "now", "user", "client", "slug"
  FROM (SELECT ? AS "id", ? AS "now", ? AS "user", ? AS "client", ? AS "slug", ? AS "token", ? AS "until") AS "new"
  WHERE NOT EXISTS (SELECT 1 FROM "UsedToken" WHERE "expiresAt" = "until" AND "nonce" = "token")
  AND NOT EXISTS (SELECT 1 FROM "PostRead" AS "old" WHERE ${isSameReader} AND "old"."postSlug" = "slug"
    AND "old"."createdAt" > "now" - ${DEDUPLICATION_WINDOW_MS} AND "old"."createdAt" < "now" + ${DEDUPLICATION_WINDOW_MS})`;
const INSERT_MEMBER_READ_SQL = insertReadSql(`"old"."userId" = "user"`);
const INSERT_ANONYMOUS_READ_SQL = insertReadSql(
  `"old"."clientId" = "client" AND "old"."userId" IS NULL`,
);

export interface ReadRequest extends Reader {
  readonly token: string;
  /** Must be a published post; the caller checks. */
  readonly slug: string;
  readonly readingMinutes: number;
  readonly nowMs: number;
}

export interface RecordedRead {
  /**
   * False if this reader's read of this post already counted within 7 days; nothing is stored then.
   */
  readonly isCounted: boolean;
  /** The ID of a new anonymous reader, for their cookie; set only if the read counted. */
  readonly clientId?: string;
}

/**
 * Stores the read unless one counted within 7 days; triggers update the counters. Call
 * recordLeadChanges() after a member's read. Throws like verifyDwellToken(), and AppError(conflict)
 * if the token was already used; nothing is stored then.
 */
export function recordRead(
  tx: Tx,
  { token, slug, member, clientId, readingMinutes, nowMs }: ReadRequest,
): RecordedRead {
  const { nonce, expiresAtMs } = verifyDwellToken(token, {
    slug,
    minMs: getMinDwellMs(readingMinutes),
    nowMs,
  });
  const newClientId = member || clientId ? undefined : createReaderId(nowMs);
  const inserted = member
    ? sqlOf(tx).run(
        INSERT_MEMBER_READ_SQL,
        createUuidV7(nowMs),
        nowMs,
        member.id,
        null,
        slug,
        nonce,
        expiresAtMs,
      )
    : sqlOf(tx).run(
        INSERT_ANONYMOUS_READ_SQL,
        createUuidV7(nowMs),
        nowMs,
        null,
        clientId || newClientId!,
        slug,
        nonce,
        expiresAtMs,
      );
  if (inserted.changes === 0) {
    if (
      sqlOf(tx).get(`SELECT 1 FROM "UsedToken" WHERE "expiresAt" = ? AND "nonce" = ?`, expiresAtMs, nonce)
    )
      throw new AppError("conflict", "The token has already been used.", { field: "token" });
    return { isCounted: false };
  }
  sqlOf(tx).run(`INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES (?, ?)`, nonce, expiresAtMs);
  sqlOf(tx).run(
    `DELETE FROM "UsedToken" WHERE ("expiresAt", "nonce") IN (SELECT "expiresAt", "nonce" FROM "UsedToken" WHERE "expiresAt" <= ? ORDER BY "expiresAt" LIMIT ${SWEEP_LIMIT})`,
    nowMs,
  );
  return newClientId ? { isCounted: true, clientId: newClientId } : { isCounted: true };
}
