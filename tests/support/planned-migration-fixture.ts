// Plans the move of a test's source, and does what was planned, without a slot: copied in one state, then compared.

import { join } from "node:path";
import { copyTables } from "#cli/migrate-postgres/copy-tables.ts";
import type { MigrationOptions } from "#cli/migrate-postgres/table-mapping.ts";
import { type Plan, assertResolved, createPlan } from "#cli/migrate-postgres/plan.ts";
import { connectSource, readRows } from "#cli/migrate-postgres/source-connection.ts";
import { finishLoad, createStagingDatabase } from "#cli/migrate-postgres/staging-database.ts";
import { type Verification, verifyCopy } from "#cli/migrate-postgres/verify-copy.ts";
import { rebuildCounters } from "#lib/reading/rebuild-counters.ts";

export const PERMISSIVE_OPTIONS: MigrationOptions = { unknown: "keep", unfit: "aside" };
export const STRICT_OPTIONS: MigrationOptions = { unknown: "stop", unfit: "stop" };

/** The plan of a move from `url` to a file in `dir`. */
export async function planTestMigration(
  url: string,
  {
    dir,
    choices = STRICT_OPTIONS,
    isOldCookieKnown = false,
  }: { dir: string; choices?: MigrationOptions; isOldCookieKnown?: boolean },
): Promise<Plan> {
  const client = await connectSource(url, { readOnly: true });
  try {
    return await createPlan(client, { to: join(dir, "site.db"), choices, isOldCookieKnown });
  } finally {
    await client.end();
  }
}

/** Copies what `plan` decided into `file`, and compares both sides. */
export async function runPlannedMigration(
  url: string,
  plan: Plan,
  file: string,
): Promise<Verification> {
  const { tables, choices } = assertResolved(plan);
  const source = await connectSource(url, { readOnly: true });
  try {
    await readRows(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await createStagingDatabase(file, { id: "test", tables });
    await copyTables({ source, tables, choices, file });
    finishLoad(file, { rebuild: rebuildCounters, position: "0/0" });
    return await verifyCopy({ source, tables, file });
  } finally {
    await source.end();
  }
}

/** What a plan says, a line for each finding: "stop: …sentences → remedy". */
export function formatIssues(plan: Plan): string[] {
  return plan.findings.map(
    ({ level, text, fix }) => `${level}: ${text}${fix === null ? "" : ` → ${fix}`}`,
  );
}
