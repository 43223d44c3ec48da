// What a move would do, what stands against it, and what there is to choose. Changes nothing anywhere.

import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import { readSourceCatalog } from "./source-catalog.ts";
import { withSourceDeadline } from "./table-checksums.ts";
import { type PlanIssue, createNote } from "./plan-issue.ts";
import type { MigrationOptions, TableMapping } from "./table-mapping.ts";
import {
  type PlannedDiskSpace,
  type PlannedTime,
  estimateCopySeconds,
  estimateTime,
  estimateDiskSpace,
  checkDiskSpace,
  sampleTables,
} from "./plan-cost.ts";
import { type RowCounts, countAllRows, countInvalidRows, checkRows } from "./plan-rows.ts";
import {
  type SourceFacts,
  isVersionTooOld,
  checkSourceFacts,
  noteStreaming,
  readSourceFacts,
} from "./plan-source.ts";
import { listServerStreamObstacles, listTableStreamObstacles } from "./plan-stream.ts";
import { selectTables } from "./plan-tables.ts";
import {
  type PlannedSessions,
  countSessions,
  checkEmailAddresses,
  checkSessions,
  noteConversions,
} from "./plan-values.ts";
import { readRows } from "./source-connection.ts";
import { type MigrationState, findState } from "./migration-state.ts";

export interface PlannedTable {
  readonly table: TableMapping;
  readonly rows: number;
  /** What is read of it; where the sample took too long, what it takes on the server's disk. */
  readonly bytes: number;
  /** Of its copy alone. */
  readonly seconds: number;
}

export interface Plan {
  readonly source: SourceFacts & {
    readonly mode: "stream" | "passes";
    /** Why it can't stream, a sentence with the remedy each; none where it can. */
    readonly whyPasses: readonly string[];
    /** A table that moves has partitions: it is published as one. */
    readonly hasPartitions: boolean;
  };
  readonly to: string;
  readonly choices: MigrationOptions;
  /** In the order in which they are loaded: parents first, side tables last. Those that something stops are missing. */
  readonly tables: readonly PlannedTable[];
  /** null where there is no table of them. */
  readonly sessions: PlannedSessions | null;
  readonly findings: readonly PlanIssue[];
  readonly time: PlannedTime;
  readonly room: PlannedDiskSpace;
}

/** The bound of one statement in the source. Most take milliseconds; counting takes what a table takes to be read. */
const STATEMENT_TIMEOUT_MS = 1_800_000;

/**
 * What a move of the database of `client`, a connection that only reads, to the file `to` would do. Reads one state of it, every row of the known
 * tables once. Throws AppError(unavailable) where the source is lost or too slow, and as findState does.
 */
export async function createPlan(
  client: pg.Client,
  {
    to,
    choices,
    isOldCookieKnown,
  }: { to: string; choices: MigrationOptions; isOldCookieKnown: boolean },
): Promise<Plan> {
  const begun = findState(to);
  await runSql(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    await runSql(client, `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
    return await inspectSource(client, { to, choices, isOldCookieKnown, begun });
  } finally {
    await runSql(client, "ROLLBACK").catch(() => {});
  }
}

const runSql = (client: pg.Client, sql: string) =>
  withSourceDeadline(client, () => readRows(client, sql));

async function inspectSource(
  client: pg.Client,
  {
    to,
    choices,
    isOldCookieKnown,
    begun,
  }: {
    to: string;
    choices: MigrationOptions;
    isOldCookieKnown: boolean;
    begun: MigrationState | null;
  },
): Promise<Plan> {
  const facts = await readSourceFacts(client);
  const isOurs =
    begun !== null &&
    begun.slot !== null &&
    begun.system === facts.system &&
    begun.database === facts.database;
  const findings: PlanIssue[] = [
    ...noteExistingMigration(begun, to),
    ...checkSourceFacts(facts, { isOurs }),
  ];
  const { chosen, findings: ofTables } = isVersionTooOld(facts)
    ? { chosen: [], findings: [] }
    : selectTables(await readSourceCatalog(client, facts.versionNumber), choices, facts.role);
  findings.push(...ofTables);
  const find = (target: string) => chosen.find(({ table }) => table.target === target);
  const parent = find("User")?.table ?? null;

  const counts = new Map<string, RowCounts>();
  const sizes: { table: TableMapping; rows: number; diskBytes: number }[] = [];
  for (const { table, from } of chosen) {
    const counted = table.isSide ? null : await countInvalidRows(client, table, parent);
    if (counted) {
      counts.set(table.target, counted);
      findings.push(...checkRows(table, counted, choices));
    }
    const isShared = chosen.some((other) => other.from === from && other.table !== table);
    sizes.push({
      table,
      rows:
        counted?.rows ??
        (isShared ? counts.get(table.source)?.rows : undefined) ??
        (await countAllRows(client, table)),
      diskBytes: [from, ...from.heirs].reduce((sum, { bytes }) => sum + bytes, 0),
    });
  }
  findings.push(...noteConversions(chosen, counts));
  const members = find("User");
  if (members) findings.push(...(await checkEmailAddresses(client, members)));
  const owned = find("Session");
  const sessions = owned ? await countSessions(client, owned, isOldCookieKnown) : null;
  if (sessions) findings.push(...checkSessions(sessions));

  const sampled = await sampleTables(client, sizes);
  const measured = sizes.map(({ table, rows, diskBytes }) => ({
    table,
    rows,
    ...(sampled.get(table.target) ?? { bytes: diskBytes, readMs: 0 }),
  }));
  const room = estimateDiskSpace(to, measured);
  findings.push(...checkDiskSpace(room));
  const whyPasses = [
    ...listServerStreamObstacles(facts),
    ...listTableStreamObstacles(chosen, facts),
  ];
  if (whyPasses.length === 0) findings.push(...noteStreaming(facts));
  return {
    source: {
      ...facts,
      mode: whyPasses.length === 0 ? "stream" : "passes",
      whyPasses,
      hasPartitions: chosen.some(({ from }) => from.kind === "p"),
    },
    to,
    choices,
    tables: measured.map(({ table, rows, bytes, readMs }) => ({
      table,
      rows,
      bytes,
      seconds: estimateCopySeconds({ rows, bytes, readMs }),
    })),
    sessions,
    findings,
    time: estimateTime(measured),
    room,
  };
}

function noteExistingMigration(begun: MigrationState | null, to: string): PlanIssue[] {
  if (begun === null) return [];
  if (begun.phase === "copying")
    return [
      createNote("target", `A copy to ${to} was begun and not finished. copy begins it anew.`),
    ];
  if (begun.phase === "done")
    return [
      createNote(
        "target",
        `A move to ${to} is done already.`,
        "abort forgets it, and leaves the file as it is.",
      ),
    ];
  return [
    createNote(
      "target",
      `A move to ${to} is under way.`,
      "follow, verify, cutover or resume goes on with it; abort gives it up.",
    ),
  ];
}

/** Whether nothing is left that stops the move or must be chosen. */
export function isResolved({ findings }: Plan): boolean {
  return findings.every(({ level }) => level === "note");
}

/** What moves. Throws AppError(conflict), naming all that blocks it with what mends or decides it. */
export function assertResolved(plan: Plan): {
  tables: readonly TableMapping[];
  choices: MigrationOptions;
} {
  const blocking = plan.findings.filter(({ level }) => level !== "note");
  if (blocking.length > 0) {
    const lines = blocking.map(({ text, fix }) => `- ${fix === null ? text : `${text} ${fix}`}`);
    throw new AppError(
      "conflict",
      `Nothing was copied. What stands against it:\n${lines.join("\n")}\nplan says the same at length.`,
    );
  }
  return { tables: plan.tables.map(({ table }) => table), choices: plan.choices };
}
