// Saves posts for later, per member.

import type { Tx } from "#lib/db/database.ts";

/** Saves the post, or removes it. Idempotent: a post that is saved again keeps its date. */
export async function setPostSaved(
  tx: Tx,
  {
    userId,
    slug,
    isSaved,
    nowMs,
  }: { userId: string; slug: string; isSaved: boolean; nowMs: number },
): Promise<void> {
  const key = { userId, postSlug: slug };
  if (!isSaved) {
    await tx.savedPost.deleteMany({ where: key });
    return;
  }
  await tx.savedPost.upsert({
    where: { userId_postSlug: key },
    create: { ...key, savedAt: new Date(nowMs) },
    update: {},
  });
}

/** Returns the slugs of the member's saved posts, the newest first, also those that are gone. */
export async function listSavedSlugs(tx: Tx, userId: string): Promise<string[]> {
  const rows = await tx.savedPost.findMany({
    where: { userId },
    select: { postSlug: true },
    orderBy: [{ savedAt: "desc" }, { postSlug: "asc" }],
  });
  return rows.map(({ postSlug }) => postSlug);
}
