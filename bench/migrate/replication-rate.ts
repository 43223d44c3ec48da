// Measures how many row changes per second replication applies, with read counters and synced
// batches.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { replicateChanges } from "#cli/migrate-postgres/replicate-changes.ts";
import { dropSlot } from "#cli/migrate-postgres/replication-slot.ts";
import { migrationFiles } from "#cli/migrate-postgres/migration-state.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";
import { FULL_SIZES, createSourceSite, runSql } from "#tests/support/source-site.ts";
import type { TestPostgres } from "#tests/support/postgres.ts";
import { copySource } from "#cli/migrate-postgres/copy-command.ts";
import { readCurrentPosition } from "#cli/migrate-postgres/replication-slot.ts";

const CHANGE_COUNT = 120_000;

/**
 * A typical workload: one half inserted reads, and one sixth each of renewed sessions, claimed
 * reads and deleted reads.
 */
const WRITE_STATEMENTS = [
  `INSERT INTO "PostRead" SELECT gen_random_uuid()::text, now(), CASE WHEN n % 10 < 3 THEN (SELECT "id" FROM "User" OFFSET n % 1000 LIMIT 1) END, CASE WHEN n % 10 >= 3 THEN gen_random_uuid()::text END, 'old-post-' || n % 200 FROM generate_series(1, ${CHANGE_COUNT / 2}) AS n`,
  `UPDATE "Session" SET "expirationDate" = "expirationDate" + interval '1 day' WHERE "id" IN (SELECT "id" FROM "Session" LIMIT ${CHANGE_COUNT / 6})`,
  `UPDATE "PostRead" SET "userId" = (SELECT min("id") FROM "User") WHERE "id" IN (SELECT "id" FROM "PostRead" WHERE "userId" IS NULL LIMIT ${CHANGE_COUNT / 6})`,
  `DELETE FROM "PostRead" WHERE "id" IN (SELECT "id" FROM "PostRead" WHERE "userId" IS NULL LIMIT ${CHANGE_COUNT / 6})`,
];

/** Returns changes per second, from a slot with all changes pending until the last is synced. */
export async function measureReplication(server: TestPostgres, dir: string): Promise<number> {
  const url = await server.createDatabase();
  await createSourceSite(url, { ...FULL_SIZES, calls: 0, reads: 200_000 });
  const to = join(dir, "replicated.db");
  const { signal } = new AbortController();
  const state = await copySource({
    url,
    targetFile: to,
    servedFile: to,
    options: { unknown: "stop", invalidRows: "stop" },
    hasLegacyCookieSecret: false,
    rebuildCounters,
    onEvent: () => {},
    signal,
  });
  await runSql(url, ...WRITE_STATEMENTS);
  const until = await readCurrentPosition(url);
  const startedMs = performance.now();
  const { changes } = await replicateChanges({
    url,
    file: migrationFiles(to).staging,
    state,
    until,
    signal,
  });
  const perSecond = changes / ((performance.now() - startedMs) / 1000);
  await dropSlot(url);
  for (const file of Object.values(migrationFiles(to)))
    for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(file + suffix, { force: true });
  return perSecond;
}
