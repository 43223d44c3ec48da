// Counts a read: once per reader, post and 7 days, on proof of dwell.

import { AppError } from "#lib/core/errors.ts";
import { DAY_MS } from "#lib/core/clock.ts";
import { createUuidV7 } from "#lib/core/uuid-v7.ts";
import type { Sql } from "#lib/db/connection.ts";
import { type Reader, createReaderId } from "./reader-id.ts";
import { getMinDwellMs, verifyDwellToken } from "./dwell-token.ts";

/** The same reader's next read of the same post counts after this long: the rule of the reference. */
export const DEDUPLICATION_WINDOW_MS = 7 * DAY_MS;
/** Expired tokens removed with each counted read: more than each adds, so the table shrinks to one day's worth. */
const SWEEP_LIMIT = 4;

// One statement decides and stores, so nothing can come in between. It looks a week in both directions:
// after a change of primary the clock may be a little behind the newest row.
const insertReadSql = (
  whose: string,
) => `INSERT INTO "PostRead" ("id", "createdAt", "userId", "clientId", "postSlug")
  SELECT "id", "now", "user", "client", "slug"
  FROM (SELECT ? AS "id", ? AS "now", ? AS "user", ? AS "client", ? AS "slug", ? AS "token", ? AS "until") AS "new"
  WHERE NOT EXISTS (SELECT 1 FROM "UsedToken" WHERE "expiresAt" = "until" AND "nonce" = "token")
  AND NOT EXISTS (SELECT 1 FROM "PostRead" AS "old" WHERE ${whose} AND "old"."postSlug" = "slug"
    AND "old"."createdAt" > "now" - ${DEDUPLICATION_WINDOW_MS} AND "old"."createdAt" < "now" + ${DEDUPLICATION_WINDOW_MS})`;
const INSERT_MEMBER_READ_SQL = insertReadSql(`"old"."userId" = "user"`);
const INSERT_ANONYMOUS_READ_SQL = insertReadSql(
  `"old"."clientId" = "client" AND "old"."userId" IS NULL`,
);

export interface ReadRequest extends Reader {
  readonly token: string;
  /** An existing post that is no draft: the caller has looked. */
  readonly slug: string;
  readonly readingMinutes: number;
  readonly nowMs: number;
}

export interface RecordedRead {
  /** false: this reader's read of this post already counted within 7 days. Then nothing was stored. */
  readonly isCounted: boolean;
  /** The new id of an anonymous reader who had none: to be kept in their cookie. Only when the read counted. */
  readonly clientId?: string;
}

/**
 * Stores the read unless the reader's read of this post counted within 7 days; the counters follow by triggers.
 * Runs inside the caller's write. Throws AppError, and stores nothing, when the token is malformed or forged (invalid),
 * for another post, too early or expired (forbidden), or was used before (conflict).
 * Who leads may have changed after a member's read: see recordOwnership in the room of the teams.
 */
export function recordRead(
  sql: Sql,
  { token, slug, member, clientId, readingMinutes, nowMs }: ReadRequest,
): RecordedRead {
  const { nonce, expiresAtMs } = verifyDwellToken(token, {
    slug,
    minMs: getMinDwellMs(readingMinutes),
    nowMs,
  });
  const made = member || clientId ? undefined : createReaderId(nowMs);
  const stored = member
    ? sql.run(
        INSERT_MEMBER_READ_SQL,
        createUuidV7(nowMs),
        nowMs,
        member.id,
        null,
        slug,
        nonce,
        expiresAtMs,
      )
    : sql.run(
        INSERT_ANONYMOUS_READ_SQL,
        createUuidV7(nowMs),
        nowMs,
        null,
        clientId || (made as string),
        slug,
        nonce,
        expiresAtMs,
      );
  if (stored.changes === 0) {
    if (
      sql.get(`SELECT 1 FROM "UsedToken" WHERE "expiresAt" = ? AND "nonce" = ?`, expiresAtMs, nonce)
    )
      throw new AppError("conflict", "The token was used before.", { field: "token" });
    return { isCounted: false };
  }
  sql.run(`INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES (?, ?)`, nonce, expiresAtMs);
  sql.run(
    `DELETE FROM "UsedToken" WHERE ("expiresAt", "nonce") IN (SELECT "expiresAt", "nonce" FROM "UsedToken" WHERE "expiresAt" <= ? ORDER BY "expiresAt" LIMIT ${SWEEP_LIMIT})`,
    nowMs,
  );
  return made ? { isCounted: true, clientId: made } : { isCounted: true };
}
