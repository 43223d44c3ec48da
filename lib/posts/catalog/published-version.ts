// Stores the published content version in one replicated row that all instances share.

import { nowMs } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";

export interface PublishedVersion {
  /** A commit SHA, or "disk-…" for content from disk. */
  readonly version: string;
  /** The version published before, as a fallback; null for the first version. */
  readonly previous: string | null;
  readonly updatedAtMs: number;
  /** When post changes were last written (Unix time in ms); 0 before the first write. */
  readonly changesAtMs: number;
}

/** Returns the published version, or null before the first one. */
export async function findPublishedVersion(tx: Tx): Promise<PublishedVersion | null> {
  const row = await tx.contentVersion.findUnique({ where: { id: 1 } });
  return (
    row && {
      version: row.version,
      previous: row.previous,
      updatedAtMs: row.updatedAt.getTime(),
      changesAtMs: row.changesAt?.getTime() ?? 0,
    }
  );
}

/**
 * Publishes `version` and keeps the previous one. Idempotent: returns false and writes nothing if
 * it is already published.
 */
export async function setPublishedVersion(tx: Tx, version: string): Promise<boolean> {
  const current = await findPublishedVersion(tx);
  if (current?.version === version) return false;
  const data = {
    version,
    previous: current?.version ?? null,
    updatedAt: new Date(nowMs()),
  };
  await tx.contentVersion.upsert({ where: { id: 1 }, create: { id: 1, ...data }, update: data });
  return true;
}
