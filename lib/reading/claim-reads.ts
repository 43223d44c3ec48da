// Gives a member what they read before they logged in.

import type { Sql } from "#lib/db/connection.ts";
import { DEDUPLICATION_WINDOW_MS } from "./record-read.ts";

interface AnonymousRead {
  readonly id: string;
  readonly slug: string;
  readonly at: number;
}

export interface ClaimedReads {
  /** Reads that are the member's now. */
  readonly claimedCount: number;
  /** Reads that went, because the member's own (or another of these) counted within the same 7 days. */
  readonly duplicateCount: number;
  /** The posts whose standing may have changed: for recordOwnership in the room of the teams. */
  readonly slugs: readonly string[];
}

/**
 * Moves the anonymous reads of `clientId`, and no others, to the member; to be called in the transaction that logs in.
 * Without an id nothing changes: the reference once gave every member's reads to the newest member that way.
 * Doing it twice is the same as doing it once. Throws when there is no such member.
 */
export function claimReads(
  sql: Sql,
  { clientId, userId }: { clientId: string | null | undefined; userId: string },
): ClaimedReads {
  if (!clientId) return { claimedCount: 0, duplicateCount: 0, slugs: [] };
  const anonymous = sql.all<AnonymousRead>(
    `SELECT "id", "postSlug" AS "slug", "createdAt" AS "at" FROM "PostRead" WHERE "clientId" = ? AND "userId" IS NULL ORDER BY "postSlug", "createdAt", "id"`,
    clientId,
  );
  if (anonymous.length === 0) return { claimedCount: 0, duplicateCount: 0, slugs: [] };
  const slugs = [...new Set(anonymous.map(({ slug }) => slug))];
  const counted = new Map(
    slugs.map((slug) => [
      slug,
      sql
        .all<{ at: number }>(
          `SELECT "createdAt" AS "at" FROM "PostRead" WHERE "userId" = ? AND "postSlug" = ?`,
          userId,
          slug,
        )
        .map(({ at }) => at),
    ]),
  );
  let removed = 0;
  for (const { id, slug, at } of anonymous) {
    const kept = counted.get(slug) as number[];
    if (kept.some((other) => Math.abs(other - at) < DEDUPLICATION_WINDOW_MS)) {
      sql.run(`DELETE FROM "PostRead" WHERE "id" = ?`, id);
      removed += 1;
    } else kept.push(at);
  }
  // Without the id on the row the member's reading can't be tied to what the same browser reads after a log-out.
  const { changes } = sql.run(
    `UPDATE "PostRead" SET "userId" = ?, "clientId" = NULL WHERE "clientId" = ? AND "userId" IS NULL`,
    userId,
    clientId,
  );
  return { claimedCount: changes, duplicateCount: removed, slugs };
}
