// Stores the published content version in one replicated row that all instances share.

import { nowMs } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";

export interface PublishedVersion {
  /** A commit SHA, or "disk-…" for content from disk. */
  readonly version: string;
  /** The version published before, as a fallback; null for the first version. */
  readonly previous: string | null;
  readonly updatedAtMs: number;
}

/** Returns the published version, or null before the first one. */
export function findPublishedVersion(sql: Sql): PublishedVersion | null {
  return (
    sql.get<PublishedVersion>(
      `SELECT "version", "previous", "updatedAt" AS "updatedAtMs" FROM "ContentVersion" WHERE "id" = 1`,
    ) ?? null
  );
}

/**
 * Publishes `version` and keeps the previous one. Idempotent: returns false and writes nothing if
 * it is already published.
 */
export function setPublishedVersion(sql: Sql, version: string): boolean {
  // One statement, so that two concurrent webhooks cannot both record the same previous version.
  const { changes } = sql.run(
    `INSERT INTO "ContentVersion" ("id", "version", "previous", "updatedAt") VALUES (1, ?, NULL, ?)
     ON CONFLICT ("id") DO UPDATE SET "previous" = "version", "version" = excluded."version", "updatedAt" = excluded."updatedAt"
     WHERE "version" <> excluded."version"`,
    version,
    nowMs(),
  );
  return changes > 0;
}
