// Plans the migration of a test's source and runs it without a replication slot: copies and
// verifies one snapshot.

import { join } from "node:path";
import { copyTables } from "#cli/migrate-postgres/copy-tables.ts";
import { DEFAULT_OPTIONS, type MigrationOptions } from "#cli/migrate-postgres/options.ts";
import { type Plan, assertResolved, createPlan } from "#cli/migrate-postgres/plan.ts";
import { withSnapshot } from "#cli/migrate-postgres/migration.ts";
import { connectSource } from "#cli/migrate-postgres/source-connection.ts";
import { createStagingDatabase, finishLoad } from "#cli/migrate-postgres/staging-database.ts";
import type { TableMapping } from "#cli/migrate-postgres/table-mapping.ts";
import { type Verification, verifyCopy } from "#cli/migrate-postgres/verify-copy.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.sql.ts";

export const PERMISSIVE_OPTIONS: MigrationOptions = { unknown: "keep", invalidRows: "quarantine" };

/** Plans a migration from `url` to a file in `dir`. */
export async function planTestMigration(
  url: string,
  {
    dir,
    options = DEFAULT_OPTIONS,
    hasLegacyCookieSecret = false,
  }: { dir: string; options?: MigrationOptions; hasLegacyCookieSecret?: boolean },
): Promise<Plan> {
  const client = await connectSource(url, { readOnly: true });
  try {
    return await createPlan(client, {
      targetFile: join(dir, "site.db"),
      options,
      hasLegacyCookieSecret,
    });
  } finally {
    await client.end();
  }
}

/** Copies the tables of one snapshot into `file`. */
export function copyTestTables(
  url: string,
  file: string,
  tables: readonly TableMapping[],
  options: MigrationOptions = DEFAULT_OPTIONS,
): Promise<void> {
  return withSnapshot(url, null, async (source) => {
    await createStagingDatabase(file, { id: "test", tables });
    await copyTables({ source, tables, options, file });
    finishLoad(file, { rebuildCounters, position: "0/0" });
  });
}

/** Copies the planned tables into `file`, and compares both sides. */
export async function runPlannedMigration(
  url: string,
  plan: Plan,
  file: string,
): Promise<Verification> {
  const { tables, options } = assertResolved(plan);
  await copyTestTables(url, file, tables, options);
  return withSnapshot(url, null, (source) => verifyCopy({ source, tables, file }));
}

/** Formats a plan's issues, one line each: "stop: text → fix". */
export function formatIssues(plan: Plan): string[] {
  return plan.issues.map(
    ({ level, text, fix }) => `${level}: ${text}${fix === null ? "" : ` → ${fix}`}`,
  );
}
