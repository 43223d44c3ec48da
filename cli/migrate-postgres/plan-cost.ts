// Estimates a migration's time and disk space from a sample that takes at most a second.

import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { formatBytes } from "#lib/core/format.ts";
import { copyToSql } from "./binary-copy-reader.ts";
import { type PlanIssue, createBlocker } from "./plan-issue.ts";
import { readRows, withSourceDeadline } from "./source-connection.ts";
import type { TableMapping } from "./table-mapping.ts";

/** For all tables together. */
const SAMPLE_BUDGET_MS = 1_000;
/** A statement that takes longer has too large a sample or waits for a lock. */
const STATEMENT_TIMEOUT_MS = 3_000;
/** The first sample's size, and the factor by which each sample grows. */
const FIRST_SAMPLE_BYTES = 65_536;
const SAMPLE_GROWTH = 4;

/**
 * SQLite's rates on two cores (docs/benchmarks.md): for loading, and for indexes, checks and
 * verification.
 */
const LOAD_ROWS_PER_SECOND = 450_000;
const LOAD_BYTES_PER_SECOND = 150_000_000;
const FINISH_ROWS_PER_SECOND = 170_000;
const FINISH_BYTES_PER_SECOND = 300_000_000;
/** The rate of a full resync and of the verification that follows it. */
const RESYNC_ROWS_PER_SECOND = 180_000;

/** Indexes and counters per row, beyond what COPY sends. */
const INDEX_BYTES_PER_ROW = 250;
/** The staging database, its WAL, and a copy during the swap. */
const DISK_SPACE_FACTOR = 2.2;
const DISK_SPACE_EXTRA_BYTES = 64_000_000;

export interface SampledTable {
  /** Bytes that COPY would send for the whole table. */
  readonly bytes: number;
  /** How long COPY would take on this connection. */
  readonly readMs: number;
}

export interface TableSize {
  readonly table: TableMapping;
  readonly rows: number;
  /** Bytes on the server's disk. */
  readonly diskBytes: number;
}

/**
 * Samples each table in the caller's transaction, for about a second in total. A table that could
 * not be read in time is null.
 */
export async function sampleTables(
  client: pg.Client,
  sizes: readonly TableSize[],
): Promise<Map<string, SampledTable | null>> {
  const samples = new Map<string, SampledTable | null>();
  const totalBytes = sizes.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  for (const { table, rows, diskBytes } of sizes) {
    if (rows === 0) {
      samples.set(table.target, { bytes: 0, readMs: 0 });
      continue;
    }
    const ms = SAMPLE_BUDGET_MS * (diskBytes / Math.max(1, totalBytes));
    await readRows(
      client,
      `SAVEPOINT sample; SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
    );
    try {
      samples.set(table.target, await sampleTable(client, { table, rows, diskBytes }, ms));
    } catch {
      samples.set(table.target, null);
    }
    // Throws if the connection is lost.
    await readRows(client, "ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
  }
  return samples;
}

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

/** Returns how many bytes COPY sends for `count` rows. */
async function readSampleBytes(
  client: pg.Client,
  table: TableMapping,
  count: number,
): Promise<number> {
  const sql = copyToSql({ ...table, key: [] });
  const stream = client.query(
    copyTo(
      sql.replace(/\) TO STDOUT \(FORMAT binary\)$/, ` LIMIT ${count}) TO STDOUT (FORMAT binary)`),
    ),
  );
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}

export interface PlannedTime {
  /** The copy with indexes, checks and verification. */
  readonly copySeconds: number;
  /**
   * A full resync and the verification after it: the pause in writes if the source cannot stream.
   */
  readonly resyncSeconds: number;
}

/** Estimates the time for tables of these sizes. */
export function estimateTime(
  tables: readonly { rows: number; bytes: number; readMs: number }[],
): PlannedTime {
  let copySeconds = 0.3;
  let resyncSeconds = 0.2;
  for (const { rows, bytes, readMs } of tables) {
    copySeconds +=
      estimateCopySeconds({ rows, bytes, readMs }) +
      rows / FINISH_ROWS_PER_SECOND +
      bytes / FINISH_BYTES_PER_SECOND;
    resyncSeconds += rows / RESYNC_ROWS_PER_SECOND + bytes / FINISH_BYTES_PER_SECOND;
  }
  return { copySeconds, resyncSeconds };
}

/** Estimates one table's copy in seconds. Reading and loading overlap. */
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
  /** The nearest existing folder above the target. */
  readonly folder: string;
  readonly neededBytes: number;
  readonly freeBytes: number;
}

/** Estimates the space that the migration needs, and reads the free space. */
export function estimateDiskSpace(
  targetFile: string,
  tables: readonly { rows: number; bytes: number }[],
): PlannedDiskSpace {
  let folder = dirname(resolve(targetFile));
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

/** Returns a blocker if there is too little space. */
export function checkDiskSpace({ folder, neededBytes, freeBytes }: PlannedDiskSpace): PlanIssue[] {
  if (freeBytes >= neededBytes) return [];
  return [
    createBlocker(
      "target",
      `${folder} has ${formatBytes(freeBytes)} free; the migration needs about ${formatBytes(neededBytes)}.`,
      "Free space there, or set --to to a file on a larger disk.",
    ),
  ];
}
