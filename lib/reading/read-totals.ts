// Reads totals from the counter tables, without counting PostRead.

import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import type { Reader } from "./reader-id.ts";

/** Returns the site's total reads and distinct readers (members and anonymous IDs). */
export function getSiteTotals(tx: Tx): { reads: number; readers: number } {
  return (
    sqlOf(tx).get<{ reads: number; readers: number }>(`SELECT "reads", "readers" FROM "SiteTotal"`) ?? {
      reads: 0,
      readers: 0,
    }
  );
}

/** Returns each post's total reads by slug. Posts without reads are omitted. */
export function getPostTotals(tx: Tx): Map<string, number> {
  return new Map(
    sqlOf(tx)
      .all<{ slug: string; reads: number }>(`SELECT "postSlug" AS "slug", "reads" FROM "PostTotal"`)
      .map(({ slug, reads }) => [slug, reads]),
  );
}

/**
 * Returns the slugs of the `n` most-read posts, ties by slug. Includes hidden and deleted posts.
 */
export function listMostReadSlugs(tx: Tx, n: number): string[] {
  return sqlOf(tx)
    .all<{ slug: string }>(
      `SELECT "postSlug" AS "slug" FROM "PostTotal" ORDER BY "reads" DESC, "postSlug" LIMIT ?`,
      n,
    )
    .map(({ slug }) => slug);
}

/**
 * Returns the slugs of all posts that the reader has read; empty without a member or ID. Scans one
 * index range.
 */
export function listReadSlugs(tx: Tx, { member, clientId }: Reader): Set<string> {
  if (!member && !clientId) return new Set();
  const rows = member
    ? sqlOf(tx).all<{ slug: string }>(
        `SELECT DISTINCT "postSlug" AS "slug" FROM "PostRead" WHERE "userId" = ?`,
        member.id,
      )
    : sqlOf(tx).all<{ slug: string }>(
        `SELECT DISTINCT "postSlug" AS "slug" FROM "PostRead" WHERE "clientId" = ? AND "userId" IS NULL`,
        clientId,
      );
  return new Set(rows.map(({ slug }) => slug));
}
