// Rehearses a restore: writes the newest backup to a scratch file, checks it, and compares it with
// the live database.

import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { DrillResult } from "#lib/core/backup-status.ts";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { type Archive, putJson } from "./archive.ts";
import { assertFreeSpace } from "./free-space.ts";
import { restoreDatabase } from "./restore.ts";

export interface DatabaseTotals {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** The site's total reads by its counter, the sum over posts, and the rows themselves. */
  readonly reads: { readonly site: number; readonly posts: number; readonly rows: number };
}

/** Rows may be added and deleted between the two counts of the live database. */
const MIN_TOLERANCE = 50;
const RELATIVE_TOLERANCE = 0.01;

/** Counts every table in one transaction. */
export function countTotals(file: string): DatabaseTotals {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    return db.transaction(() => {
      const names = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .pluck()
        .all() as string[];
      const count = (text: string) => Number(db.prepare(text).pluck().get() ?? 0);
      return {
        rows: Object.fromEntries(
          names.map((name) => [name, count(`SELECT count(*) FROM ${quoteIdentifier(name)}`)]),
        ),
        reads: {
          site: count("SELECT reads FROM SiteTotal"),
          posts: count("SELECT sum(reads) FROM PostTotal"),
          rows: count("SELECT count(*) FROM PostRead"),
        },
      };
    })();
  } finally {
    db.close();
  }
}

/**
 * Returns what contradicts the live database, counted before and after the restore. A backup may
 * lag behind by what was written in the meantime.
 */
export function compareTotals(
  restored: DatabaseTotals,
  before: DatabaseTotals,
  after: DatabaseTotals,
): string[] {
  const problems: string[] = [];
  const compare = (what: string, value: number | undefined, from: number, to: number) => {
    const tolerance = Math.max(MIN_TOLERANCE, to * RELATIVE_TOLERANCE) + Math.abs(to - from);
    if (value === undefined) problems.push(`${what} is missing`);
    else if (value < Math.min(from, to) - tolerance || value > Math.max(from, to) + tolerance)
      problems.push(`${what}: ${value} in the backup, ${to} in the live database`);
  };
  for (const [table, count] of Object.entries(after.rows))
    compare(`rows of ${table}`, restored.rows[table], before.rows[table] ?? count, count);
  compare("reads", restored.reads.site, before.reads.site, after.reads.site);
  const { site, posts, rows } = restored.reads;
  if (site !== posts || site !== rows)
    problems.push(`reads in the backup disagree: ${site} in total, ${posts} by post, ${rows} rows`);
  return problems;
}

function checkDatabase(file: string): string[] {
  const db = new Database(file, { readonly: true });
  try {
    const integrity = db.pragma("integrity_check(5)", { simple: true }) as string;
    const foreignKeys = (db.pragma("foreign_key_check") as unknown[]).length;
    return [
      ...(integrity === "ok" ? [] : [`integrity_check: ${integrity}`]),
      ...(foreignKeys === 0 ? [] : [`foreign_key_check: ${foreignKeys} rows`]),
    ];
  } finally {
    db.close();
  }
}

/**
 * Runs a drill in `folder`, and stores its result. A failed drill has problems; it does not throw.
 */
export async function runDrill(
  archive: Archive,
  { folder, liveFile, instance }: { folder: string; liveFile: string; instance: string },
): Promise<DrillResult> {
  const startedAtMs = Date.now();
  const startedMs = performance.now();
  const elapsed = () => Math.round(performance.now() - startedMs);
  const file = join(folder, "restored.db");
  let result: DrillResult = {
    startedAtMs,
    instance,
    problems: [],
    restoreMs: 0,
    totalMs: 0,
    bytes: 0,
    rows: 0,
    stateAtMs: 0,
  };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    assertFreeSpace(folder, statSync(liveFile).size);
    const before = countTotals(liveFile);
    const restored = await restoreDatabase(archive, file);
    result = { ...result, restoreMs: elapsed(), bytes: restored.bytes, stateAtMs: restored.timeMs };
    const problems = checkDatabase(file);
    const totals = countTotals(file);
    problems.push(...compareTotals(totals, before, countTotals(liveFile)));
    const rows = Object.values(totals.rows).reduce((sum, count) => sum + count, 0);
    result = { ...result, problems, rows };
  } catch (error) {
    result = { ...result, problems: [(error as Error).message] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  result = { ...result, totalMs: elapsed() };
  await putJson(archive, drillName(startedAtMs), result);
  return result;
}

const drillName = (timeMs: number): string => `drills/${timeMs}`;
