// Claims a member's anonymous reads from before they logged in.

import type { Tx } from "#lib/db/database.ts";
import { DEDUPLICATION_WINDOW_MS } from "./record-read.sql.ts";

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
export async function claimReads(
  tx: Tx,
  { clientId, userId }: { clientId: string | null | undefined; userId: string },
): Promise<ClaimedReads> {
  if (!clientId) return { claimedCount: 0, duplicateCount: 0, slugs: [] };
  const anonymous = await tx.postRead.findMany({
    where: { clientId, userId: null },
    orderBy: [{ postSlug: "asc" }, { createdAt: "asc" }, { id: "asc" }],
    select: { id: true, postSlug: true, createdAt: true },
  });
  if (anonymous.length === 0) return { claimedCount: 0, duplicateCount: 0, slugs: [] };
  const slugs = [...new Set(anonymous.map(({ postSlug }) => postSlug))];
  const countedReads = await tx.postRead.findMany({
    where: { userId, postSlug: { in: slugs } },
    select: { postSlug: true, createdAt: true },
  });
  const countedMsBySlug = new Map(slugs.map((slug) => [slug, [] as number[]]));
  for (const { postSlug, createdAt } of countedReads)
    countedMsBySlug.get(postSlug)!.push(createdAt.getTime());
  const duplicateIds: string[] = [];
  for (const { id, postSlug, createdAt } of anonymous) {
    const countedMs = countedMsBySlug.get(postSlug)!;
    const readMs = createdAt.getTime();
    if (countedMs.some((ms) => Math.abs(ms - readMs) < DEDUPLICATION_WINDOW_MS))
      duplicateIds.push(id);
    else countedMs.push(readMs);
  }
  await tx.postRead.deleteMany({ where: { id: { in: duplicateIds } } });
  // Clear the ID, so that the member's reads can't be linked to the browser's reads after logout.
  const { count } = await tx.postRead.updateMany({
    where: { clientId, userId: null },
    data: { userId, clientId: null },
  });
  return { claimedCount: count, duplicateCount: duplicateIds.length, slugs };
}
