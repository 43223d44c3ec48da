// Plans a migration: what migrates, what blocks it, and what to decide. Changes nothing.

import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import { type MigrationState, findState } from "./migration-state.ts";
import type { MigrationOptions } from "./options.ts";
import {
  type PlannedDiskSpace,
  type PlannedTime,
  type TableSize,
  checkDiskSpace,
  estimateCopySeconds,
  estimateDiskSpace,
  estimateTime,
  sampleTables,
} from "./plan-cost.ts";
import { type PlanIssue, createNote } from "./plan-issue.ts";
import { type RowCounts, checkRows, countAllRows, countInvalidRows } from "./plan-rows.ts";
import {
  type SourceFacts,
  checkSourceFacts,
  isVersionTooOld,
  noteStreaming,
  readSourceFacts,
} from "./plan-source.ts";
import { listServerStreamObstacles, listTableStreamObstacles } from "./plan-stream.ts";
import { type SelectedTable, selectTables } from "./plan-tables.ts";
import {
  type PlannedSessions,
  checkEmailAddresses,
  checkSessions,
  countSessions,
  noteConversions,
} from "./plan-values.ts";
import { readSourceCatalog } from "./source-catalog.ts";
import { readRows } from "./source-connection.ts";
import type { TableMapping } from "./table-mapping.ts";

export interface PlannedTable {
  readonly table: TableMapping;
  readonly rows: number;
  /** Bytes that COPY sends; if sampling timed out, bytes on the server's disk. */
  readonly bytes: number;
  /** Expected time of this table's copy. */
  readonly seconds: number;
}

export interface Plan {
  readonly source: SourceFacts & {
    readonly mode: "stream" | "full-resync";
    /** Why the source cannot stream, each with its remedy; empty if it can. */
    readonly streamObstacles: readonly string[];
    /** True if a migrated table has partitions. It is published as one table. */
    readonly hasPartitions: boolean;
  };
  readonly targetFile: string;
  readonly options: MigrationOptions;
  /** In loading order: parents first, side tables last. Tables with a blocker are omitted. */
  readonly tables: readonly PlannedTable[];
  /** Null if the source has no Session table. */
  readonly sessions: PlannedSessions | null;
  readonly issues: readonly PlanIssue[];
  readonly time: PlannedTime;
  readonly diskSpace: PlannedDiskSpace;
}

export interface PlanOptions {
  readonly targetFile: string;
  readonly options: MigrationOptions;
  readonly hasLegacyCookieSecret: boolean;
}

/** Most statements take milliseconds, but counting reads a whole table. */
const STATEMENT_TIMEOUT_MS = 1_800_000;

/**
 * Plans the migration of the database that `client` (read-only) is connected to. Uses one snapshot,
 * and reads every row of the known tables once. Throws AppError(unavailable) if the source is lost
 * or too slow, AppError(conflict) for an unreadable state file.
 */
export async function createPlan(client: pg.Client, options: PlanOptions): Promise<Plan> {
  const state = findState(options.targetFile);
  await readRows(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    await readRows(client, `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
    return await inspectSource(client, options, state);
  } finally {
    await readRows(client, "ROLLBACK").catch(() => {});
  }
}

async function inspectSource(
  client: pg.Client,
  { targetFile, options, hasLegacyCookieSecret }: PlanOptions,
  state: MigrationState | null,
): Promise<Plan> {
  const facts = await readSourceFacts(client);
  const isOurs =
    state !== null &&
    state.slot !== null &&
    state.systemIdentifier === facts.systemIdentifier &&
    state.database === facts.database;
  const selection = isVersionTooOld(facts)
    ? { tables: [], issues: [] }
    : selectTables(await readSourceCatalog(client, facts.versionNumber), options, facts.role);
  const selected = selection.tables;
  const { sizes, counts, issues: rowIssues } = await measureRows(client, selected, options);
  const findSelected = (target: string) => selected.find(({ table }) => table.target === target);
  const members = findSelected("User");
  const sessionTable = findSelected("Session");
  const sessions = sessionTable
    ? await countSessions(client, sessionTable, hasLegacyCookieSecret)
    : null;
  const emailIssues = members ? await checkEmailAddresses(client, members) : [];
  const samples = await sampleTables(client, sizes);
  const measured = sizes.map(({ table, rows, diskBytes }) => ({
    table,
    rows,
    ...(samples.get(table.target) ?? { bytes: diskBytes, readMs: 0 }),
  }));
  const diskSpace = estimateDiskSpace(targetFile, measured);
  const streamObstacles = [
    ...listServerStreamObstacles(facts),
    ...listTableStreamObstacles(selected, facts),
  ];
  return {
    source: {
      ...facts,
      mode: streamObstacles.length === 0 ? "stream" : "full-resync",
      streamObstacles,
      hasPartitions: selected.some(({ from }) => from.kind === "p"),
    },
    targetFile,
    options,
    tables: measured.map(({ table, rows, bytes, readMs }) => ({
      table,
      rows,
      bytes,
      seconds: estimateCopySeconds({ rows, bytes, readMs }),
    })),
    sessions,
    issues: [
      ...noteExistingMigration(state, targetFile),
      ...checkSourceFacts(facts, { isOurs }),
      ...selection.issues,
      ...rowIssues,
      ...noteConversions(selected, counts),
      ...emailIssues,
      ...(sessions ? checkSessions(sessions) : []),
      ...checkDiskSpace(diskSpace),
      ...(streamObstacles.length === 0 ? noteStreaming(facts) : []),
    ],
    time: estimateTime(measured),
    diskSpace,
  };
}

/** Counts the rows of each table, and those that the target's constraints reject. */
async function measureRows(
  client: pg.Client,
  selected: readonly SelectedTable[],
  options: MigrationOptions,
): Promise<{ sizes: TableSize[]; counts: Map<string, RowCounts>; issues: PlanIssue[] }> {
  const parent = selected.find(({ table }) => table.target === "User")?.table ?? null;
  const counts = new Map<string, RowCounts>();
  const sizes: TableSize[] = [];
  const issues: PlanIssue[] = [];
  for (const { table, from } of selected) {
    const rowCounts = table.isSide ? null : await countInvalidRows(client, table, parent);
    if (rowCounts) {
      counts.set(table.target, rowCounts);
      issues.push(...checkRows(table, rowCounts, options));
    }
    const isShared = selected.some((other) => other.from === from && other.table !== table);
    sizes.push({
      table,
      rows:
        rowCounts?.rows ??
        (isShared ? counts.get(table.source)?.rows : undefined) ??
        (await countAllRows(client, table)),
      diskBytes: [from, ...from.childTables].reduce((sum, { bytes }) => sum + bytes, 0),
    });
  }
  return { sizes, counts, issues };
}

/**
 * Throws AppError(conflict) if the source has tables or columns that were added after the copy: the
 * stream and the verification don't know them, so they would be lost.
 */
export async function assertNothingAdded(
  client: pg.Client,
  { tables: copied, options }: Pick<MigrationState, "tables" | "options">,
): Promise<void> {
  const { versionNumber, role } = await readSourceFacts(client);
  const catalog = await readSourceCatalog(client, versionNumber);
  const { tables, issues } = selectTables(catalog, options, role);
  const listColumns = (table: TableMapping) =>
    table.columns.map((column) => `${table.target} ${column.name}`);
  const known = new Set(copied.flatMap(listColumns));
  const added = tables.find(({ table }) => listColumns(table).some((name) => !known.has(name)));
  const problem =
    issues.find(({ level }) => level !== "note")?.text ??
    (added && `${added.table.source} is new, or has new columns.`);
  if (problem)
    throw new AppError(
      "conflict",
      `The source has changed since the copy: ${problem} Abort, then copy again.`,
    );
}

function noteExistingMigration(state: MigrationState | null, targetFile: string): PlanIssue[] {
  if (state === null) return [];
  if (state.phase === "copying")
    return [createNote("target", `A copy to ${targetFile} was interrupted. copy starts it over.`)];
  if (state.phase === "done")
    return [
      createNote(
        "target",
        `A migration to ${targetFile} is already done.`,
        "abort deletes its state, and keeps the file.",
      ),
    ];
  return [
    createNote(
      "target",
      `A migration to ${targetFile} is in progress.`,
      "follow, verify, cutover or resume continues it; abort cancels it.",
    ),
  ];
}

/** Returns whether no blockers and no open choices are left. */
export function isResolved({ issues }: Plan): boolean {
  return issues.every(({ level }) => level === "note");
}

/**
 * Returns what migrates. Throws AppError(conflict), which lists every blocker and open choice with
 * its fix.
 */
export function assertResolved(plan: Plan): {
  tables: readonly TableMapping[];
  options: MigrationOptions;
} {
  const unresolved = plan.issues.filter(({ level }) => level !== "note");
  if (unresolved.length > 0) {
    const lines = unresolved.map(({ text, fix }) => `- ${fix === null ? text : `${text} ${fix}`}`);
    throw new AppError(
      "conflict",
      `Nothing was copied. Resolve first:\n${lines.join("\n")}\nplan shows the details.`,
    );
  }
  return { tables: plan.tables.map(({ table }) => table), options: plan.options };
}
