// Which version of the content is live: one row, replicated, the same for every instance.

import { nowMs } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";

export interface PublishedVersion {
  /** A commit's name, or "disk-…" when content comes from disk. */
  readonly version: string;
  /** What was live before, for when this one can't be used; null at the beginning. */
  readonly previous: string | null;
  readonly updatedAtMs: number;
}

/** The live version, or null before any was set. */
export function findPublishedVersion(sql: Sql): PublishedVersion | null {
  return (
    sql.get<PublishedVersion>(
      `SELECT "version", "previous", "updatedAt" AS "updatedAtMs" FROM "ContentVersion" WHERE "id" = 1`,
    ) ?? null
  );
}

/** Makes `version` live and keeps the one before as previous. Returns false, and writes nothing, when it already is. */
export function setPublishedVersion(sql: Sql, version: string): boolean {
  // One statement: two webhooks that arrive together must not both take the same version for the previous one.
  const { changes } = sql.run(
    `INSERT INTO "ContentVersion" ("id", "version", "previous", "updatedAt") VALUES (1, ?, NULL, ?)
     ON CONFLICT ("id") DO UPDATE SET "previous" = "version", "version" = excluded."version", "updatedAt" = excluded."updatedAt"
     WHERE "version" <> excluded."version"`,
    version,
    nowMs(),
  );
  return changes > 0;
}
