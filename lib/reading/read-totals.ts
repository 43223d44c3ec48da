// Reads in numbers: of the site, of each post, of one reader. From the counters, never by counting PostRead.

import type { Sql } from "#lib/db/connection.ts";
import type { Reader } from "./reader-id.ts";

/** Reads of the whole site since the beginning, and by how many readers: members and anonymous ids. */
export function getSiteTotals(sql: Sql): { reads: number; readers: number } {
  return (
    sql.get<{ reads: number; readers: number }>(`SELECT "reads", "readers" FROM "SiteTotal"`) ?? {
      reads: 0,
      readers: 0,
    }
  );
}

/** Reads of each post since the beginning. A post that nobody has read is not in it. */
export function getPostTotals(sql: Sql): Map<string, number> {
  return new Map(
    sql
      .all<{ slug: string; reads: number }>(`SELECT "postSlug" AS "slug", "reads" FROM "PostTotal"`)
      .map(({ slug, reads }) => [slug, reads]),
  );
}

/** The slugs of the `n` most-read posts, most first, ties by slug. Posts that are gone or hidden are among them. */
export function listMostReadSlugs(sql: Sql, n: number): string[] {
  return sql
    .all<{ slug: string }>(
      `SELECT "postSlug" AS "slug" FROM "PostTotal" ORDER BY "reads" DESC, "postSlug" LIMIT ?`,
      n,
    )
    .map(({ slug }) => slug);
}

/** The slugs of all posts that this reader has read: one index range. Empty for a reader without member and id. */
export function listReadSlugs(sql: Sql, { member, clientId }: Reader): Set<string> {
  if (!member && !clientId) return new Set();
  const rows = member
    ? sql.all<{ slug: string }>(
        `SELECT DISTINCT "postSlug" AS "slug" FROM "PostRead" WHERE "userId" = ?`,
        member.id,
      )
    : sql.all<{ slug: string }>(
        `SELECT DISTINCT "postSlug" AS "slug" FROM "PostRead" WHERE "clientId" = ? AND "userId" IS NULL`,
        clientId,
      );
  return new Set(rows.map(({ slug }) => slug));
}
