// Plans the move of a test's source, and does what was planned, without a slot: copied in one state, then compared.

import { join } from "node:path";
import { copyTables } from "../lib/migrate/copy.ts";
import type { Choices } from "../lib/migrate/move.ts";
import { type Plan, decide, makePlan } from "../lib/migrate/plan.ts";
import { connectSource, readRows } from "../lib/migrate/source.ts";
import { finishLoad, makeTarget } from "../lib/migrate/target.ts";
import { type Verification, verify } from "../lib/migrate/verify.ts";
import { rebuildCounters } from "../lib/reads/rebuild.ts";

export const ALL_MOVES: Choices = { unknown: "keep", unfit: "aside" };
export const NOTHING_DECIDED: Choices = { unknown: "stop", unfit: "stop" };

/** The plan of a move from `url` to a file in `dir`. */
export async function planMove(
  url: string,
  {
    dir,
    choices = NOTHING_DECIDED,
    isOldCookieKnown = false,
  }: { dir: string; choices?: Choices; isOldCookieKnown?: boolean },
): Promise<Plan> {
  const client = await connectSource(url, { readOnly: true });
  try {
    return await makePlan(client, { to: join(dir, "site.db"), choices, isOldCookieKnown });
  } finally {
    await client.end();
  }
}

/** Copies what `plan` decided into `file`, and compares both sides. */
export async function doMove(url: string, plan: Plan, file: string): Promise<Verification> {
  const { tables, choices } = decide(plan);
  const source = await connectSource(url, { readOnly: true });
  try {
    await readRows(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await makeTarget(file, { id: "test", tables });
    await copyTables({ source, tables, choices, file });
    finishLoad(file, { rebuild: rebuildCounters, position: "0/0" });
    return await verify({ source, tables, file });
  } finally {
    await source.end();
  }
}

/** What a plan says, a line for each finding: "stop: …sentences → remedy". */
export function saidBy(plan: Plan): string[] {
  return plan.findings.map(
    ({ level, text, fix }) => `${level}: ${text}${fix === null ? "" : ` → ${fix}`}`,
  );
}
