// Plans the move of a test's source, and does what was planned, without a slot: copied in one state, then compared.

import { join } from "node:path";
import { copyTables } from "../lib/migrate/copy.ts";
import type { MigrationOptions } from "../lib/migrate/move.ts";
import { type Plan, assertResolved, createPlan } from "../lib/migrate/plan.ts";
import { connectSource, readRows } from "../lib/migrate/source.ts";
import { finishLoad, createStagingDatabase } from "../lib/migrate/target.ts";
import { type Verification, verifyCopy } from "../lib/migrate/verify.ts";
import { rebuildCounters } from "../lib/reads/rebuild.ts";

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
