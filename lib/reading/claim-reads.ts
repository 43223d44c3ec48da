// Claims a member's anonymous reads from before they logged in.

import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { DEDUPLICATION_WINDOW_MS } from "./record-read.sql.ts";

interface AnonymousRead {
  readonly id: string;
  readonly slug: string;
  readonly readAtMs: number;
}

export interface ClaimedReads {
  /** Number of reads that now belong to the member. */
  readonly claimedCount: number;
  /** Number of reads deleted because another of the member's reads counted within 7 days. */
  readonly duplicateCount: number;
  /** Posts whose standings may have changed: pass them to recordLeadChanges(). */
  readonly slugs: readonly string[];
}

/**
 * Moves the anonymous reads of `clientId` to the member, in the login's transaction. Idempotent;
 * without an ID, it does nothing.
 */
export function claimReads(
  tx: Tx,
  { clientId, userId }: { clientId: string | null | undefined; userId: string },
): ClaimedReads {
  if (!clientId) return { claimedCount: 0, duplicateCount: 0, slugs: [] };
  const anonymous = sqlOf(tx).all<AnonymousRead>(
    `SELECT "id", "postSlug" AS "slug", "createdAt" AS "readAtMs" FROM "PostRead" WHERE "clientId" = ? AND "userId" IS NULL ORDER BY "postSlug", "createdAt", "id"`,
    clientId,
  );
  if (anonymous.length === 0) return { claimedCount: 0, duplicateCount: 0, slugs: [] };
  const slugs = [...new Set(anonymous.map(({ slug }) => slug))];
  const countedAtMs = new Map(
    slugs.map((slug) => [
      slug,
      sqlOf(tx)
        .all<{ readAtMs: number }>(
          `SELECT "createdAt" AS "readAtMs" FROM "PostRead" WHERE "userId" = ? AND "postSlug" = ?`,
          userId,
          slug,
        )
        .map(({ readAtMs }) => readAtMs),
    ]),
  );
  let duplicateCount = 0;
  for (const { id, slug, readAtMs } of anonymous) {
    const others = countedAtMs.get(slug)!;
    if (others.some((other) => Math.abs(other - readAtMs) < DEDUPLICATION_WINDOW_MS)) {
      sqlOf(tx).run(`DELETE FROM "PostRead" WHERE "id" = ?`, id);
      duplicateCount += 1;
    } else others.push(readAtMs);
  }
  // Clear the ID, so that the member's reads can't be linked to the browser's reads after logout.
  const { changes } = sqlOf(tx).run(
    `UPDATE "PostRead" SET "userId" = ?, "clientId" = NULL WHERE "clientId" = ? AND "userId" IS NULL`,
    userId,
    clientId,
  );
  return { claimedCount: changes, duplicateCount, slugs };
}
