// Reads totals from the counter tables, without counting PostRead.

import type { Tx } from "#lib/db/database.ts";

/** Returns the site's total reads and distinct readers (members and anonymous IDs). */
export async function getSiteTotals(tx: Tx): Promise<{ reads: number; readers: number }> {
  const totals = await tx.siteTotal.findUnique({
    where: { id: 1 },
    select: { reads: true, readers: true },
  });
  return totals ?? { reads: 0, readers: 0 };
}

/** Returns the post's total reads. */
export async function countPostReads(tx: Tx, slug: string): Promise<number> {
  const total = await tx.postTotal.findUnique({ where: { postSlug: slug } });
  return total?.reads ?? 0;
}

/** Returns each post's total reads by slug. Posts without reads are omitted. */
export async function getPostTotals(tx: Tx): Promise<Map<string, number>> {
  const totals = await tx.postTotal.findMany();
  return new Map(totals.map(({ postSlug, reads }) => [postSlug, reads]));
}
