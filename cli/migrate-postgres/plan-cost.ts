// How much a move reads, how long it takes and how much room it wants: from a sample of at most a second.

import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { withSourceDeadline } from "./table-checksums.ts";
import { copyToSql } from "./binary-copy-reader.ts";
import { type PlanIssue, createBlocker } from "./plan-issue.ts";
import type { TableMapping } from "./table-mapping.ts";
import { readRows } from "./source-connection.ts";

/** For all tables together. */
const SAMPLE_BUDGET_MS = 1_000;
/** What a statement of the sample may take: it was chosen too large then, or somebody holds the table. */
const STATEMENT_TIMEOUT_MS = 3_000;
/** So much is read first, so many times more at each step. */
const FIRST_SAMPLE_BYTES = 65_536;
const SAMPLE_GROWTH = 4;

/** What the file's side does beside reading, measured on two cores (docs/benchmarks.md): rows and bytes a second of loading, rows a second of indexes, checks and comparison. */
const LOAD_ROWS_PER_SECOND = 450_000;
const LOAD_BYTES_PER_SECOND = 150_000_000;
const FINISH_ROWS_PER_SECOND = 170_000;
const FINISH_BYTES_PER_SECOND = 300_000_000;
/** Rows a second of a pass, which compares both sides in the order of their keys, and of the comparison that cutover makes after it. */
const RESYNC_ROWS_PER_SECOND = 180_000;

/** A row's share of the file beyond what COPY sends of it: indexes and counters. */
const INDEX_BYTES_PER_ROW = 250;
/** The working file, the log beside it, and a copy of it while it is put in place. */
const DISK_SPACE_FACTOR = 2.2;
const DISK_SPACE_EXTRA_BYTES = 64_000_000;

export interface SampledTable {
  /** What COPY would send of the whole table. */
  readonly bytes: number;
  /** How long it would take to, on this connection. */
  readonly readMs: number;
}

export interface TableSize {
  readonly table: TableMapping;
  readonly rows: number;
  /** On the server's disk. */
  readonly diskBytes: number;
}

/** Reads some rows of each table, at most a second in all. Null for a table that could not be read in time. Within a transaction of `client`, which goes on after it. */
export async function sampleTables(
  client: pg.Client,
  sizes: readonly TableSize[],
): Promise<Map<string, SampledTable | null>> {
  const sampled = new Map<string, SampledTable | null>();
  const all = sizes.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  for (const { table, rows, diskBytes } of sizes) {
    if (rows === 0) {
      sampled.set(table.target, { bytes: 0, readMs: 0 });
      continue;
    }
    const ms = SAMPLE_BUDGET_MS * (diskBytes / Math.max(1, all));
    await runSql(client, `SAVEPOINT sample; SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
    try {
      sampled.set(table.target, await sampleTable(client, { table, rows, diskBytes }, ms));
    } catch {
      sampled.set(table.target, null);
    }
    // Throws where the connection is gone.
    await runSql(client, "ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
  }
  return sampled;
}

const runSql = (client: pg.Client, sql: string) =>
  withSourceDeadline(client, () => readRows(client, sql));

async function sampleTable(
  client: pg.Client,
  { table, rows, diskBytes }: TableSize,
  ms: number,
): Promise<SampledTable> {
  let count = Math.max(
    1,
    Math.min(rows, Math.floor((FIRST_SAMPLE_BYTES * rows) / Math.max(1, diskBytes))),
  );
  const endMs = performance.now() + ms;
  for (;;) {
    const startedMs = performance.now();
    const bytes = await withSourceDeadline(client, () => readSampleBytes(client, table, count), {
      ms: 2 * STATEMENT_TIMEOUT_MS,
    });
    const tookMs = performance.now() - startedMs;
    if (count >= rows || performance.now() + tookMs * SAMPLE_GROWTH > endMs)
      return { bytes: Math.round((bytes / count) * rows), readMs: (tookMs / count) * rows };
    count = Math.min(rows, count * SAMPLE_GROWTH);
  }
}

/** The bytes that COPY sends of `count` rows. */
async function readSampleBytes(
  client: pg.Client,
  table: TableMapping,
  count: number,
): Promise<number> {
  const whole = copyToSql({ ...table, key: [] });
  const stream = client.query(
    copyTo(
      whole.replace(
        /\) TO STDOUT \(FORMAT binary\)$/,
        ` LIMIT ${count}) TO STDOUT (FORMAT binary)`,
      ),
    ),
  );
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}

export interface PlannedTime {
  /** Of the copy with its indexes, checks and comparison, in seconds. */
  readonly copySeconds: number;
  /** Of a pass and the comparison after it, in seconds: the pause in writes where the source can't stream. */
  readonly passSeconds: number;
}

/** What is to be expected of tables of these sizes. */
export function estimateTime(
  tables: readonly { rows: number; bytes: number; readMs: number }[],
): PlannedTime {
  let copySeconds = 0.3;
  let passSeconds = 0.2;
  for (const { rows, bytes, readMs } of tables) {
    copySeconds +=
      estimateCopySeconds({ rows, bytes, readMs }) +
      rows / FINISH_ROWS_PER_SECOND +
      bytes / FINISH_BYTES_PER_SECOND;
    passSeconds += rows / RESYNC_ROWS_PER_SECOND + bytes / FINISH_BYTES_PER_SECOND;
  }
  return { copySeconds, passSeconds };
}

/** Of one table's rows alone, in seconds: reading and loading go on at the same time. */
export function estimateCopySeconds({
  rows,
  bytes,
  readMs,
}: {
  rows: number;
  bytes: number;
  readMs: number;
}): number {
  return Math.max(readMs / 1000, rows / LOAD_ROWS_PER_SECOND + bytes / LOAD_BYTES_PER_SECOND);
}

export interface PlannedDiskSpace {
  /** Where the file is made: the nearest folder above it that is there. */
  readonly folder: string;
  readonly neededBytes: number;
  readonly freeBytes: number;
}

/** The room that the move wants, and what is free. */
export function estimateDiskSpace(
  to: string,
  tables: readonly { rows: number; bytes: number }[],
): PlannedDiskSpace {
  let folder = dirname(resolve(to));
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const fileBytes = tables.reduce(
    (sum, { rows, bytes }) => sum + bytes + rows * INDEX_BYTES_PER_ROW,
    0,
  );
  return {
    folder,
    neededBytes: Math.round(fileBytes * DISK_SPACE_FACTOR + DISK_SPACE_EXTRA_BYTES),
    freeBytes: bavail * bsize,
  };
}

/** Nothing where there is room. */
export function checkDiskSpace({ folder, neededBytes, freeBytes }: PlannedDiskSpace): PlanIssue[] {
  if (freeBytes >= neededBytes) return [];
  return [
    createBlocker(
      "target",
      `${folder} has ${formatMegabytes(freeBytes)} free, and the move wants about ${formatMegabytes(neededBytes)}.`,
      "Make room there, or give --to a file on a larger disk.",
    ),
  ];
}

/** "1,234 MB", of a million bytes each. */
export function formatMegabytes(bytes: number): string {
  return `${bytes > 0 && bytes < 1_000_000 ? "under 1" : Math.round(bytes / 1_000_000).toLocaleString("en-US")} MB`;
}
