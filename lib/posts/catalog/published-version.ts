// Stores which content version is published: one replicated row, the same for every instance.

import { nowMs } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";

export interface PublishedVersion {
  /** A commit SHA, or "disk-…" for content from disk. */
  readonly version: string;
  /** The version before, as a fallback; null for the first version. */
  readonly previous: string | null;
  readonly updatedAtMs: number;
}

/** Returns the published version, or null before the first. */
export function findPublishedVersion(tx: Tx): PublishedVersion | null {
  return (
    sqlOf(tx).get<PublishedVersion>(
      `SELECT "version", "previous", "updatedAt" AS "updatedAtMs" FROM "ContentVersion" WHERE "id" = 1`,
    ) ?? null
  );
}

/** Publishes `version` and keeps the previous one. Idempotent: returns false, and writes nothing, if it is published. */
export function setPublishedVersion(tx: Tx, version: string): boolean {
  // One statement, so that two concurrent webhooks cannot both record the same previous version.
  const { changes } = sqlOf(tx).run(
    `INSERT INTO "ContentVersion" ("id", "version", "previous", "updatedAt") VALUES (1, ?, NULL, ?)
     ON CONFLICT ("id") DO UPDATE SET "previous" = "version", "version" = excluded."version", "updatedAt" = excluded."updatedAt"
     WHERE "version" <> excluded."version"`,
    version,
    nowMs(),
  );
  return changes > 0;
}
