// How much a move reads, how long it takes and how much room it wants: from a sample of at most a second.

import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { ask } from "./checksums.ts";
import { copyStatement } from "./copy-rows.ts";
import { type Finding, stop } from "./finding.ts";
import type { MoveTable } from "./move.ts";
import { readRows } from "./source.ts";

/** For all tables together. */
const SAMPLE_MS = 1_000;
/** What a statement of the sample may take: it was chosen too large then, or somebody holds the table. */
const STATEMENT_MS = 3_000;
/** So much is read first, so many times more at each step. */
const FIRST_BYTES = 65_536;
const GROWTH = 4;

/** What the file's side does beside reading, measured on two cores (docs/benchmarks.md): rows and bytes a second of loading, rows a second of indexes, checks and comparison. */
const LOAD_ROWS = 450_000;
const LOAD_BYTES = 150_000_000;
const FINISH_ROWS = 170_000;
const FINISH_BYTES = 300_000_000;
/** Rows a second of a pass, which compares both sides in the order of their keys, and of the comparison that cutover makes after it. */
const PASS_ROWS = 180_000;

/** A row's share of the file beyond what COPY sends of it: indexes and counters. */
const INDEX_BYTES = 250;
/** The working file, the log beside it, and a copy of it while it is put in place. */
const ROOM = 2.2;
const ROOM_BYTES = 64_000_000;

export interface SampledTable {
  /** What COPY would send of the whole table. */
  readonly bytes: number;
  /** How long it would take to, on this connection. */
  readonly readMs: number;
}

export interface TableSize {
  readonly table: MoveTable;
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
    const ms = SAMPLE_MS * (diskBytes / Math.max(1, all));
    await run(client, `SAVEPOINT sample; SET LOCAL statement_timeout = ${STATEMENT_MS}`);
    try {
      sampled.set(table.target, await sampleTable(client, { table, rows, diskBytes }, ms));
    } catch {
      sampled.set(table.target, null);
    }
    // Throws where the connection is gone.
    await run(client, "ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
  }
  return sampled;
}

const run = (client: pg.Client, sql: string) => ask(client, () => readRows(client, sql));

async function sampleTable(
  client: pg.Client,
  { table, rows, diskBytes }: TableSize,
  ms: number,
): Promise<SampledTable> {
  let count = Math.max(
    1,
    Math.min(rows, Math.floor((FIRST_BYTES * rows) / Math.max(1, diskBytes))),
  );
  const endMs = performance.now() + ms;
  for (;;) {
    const startedMs = performance.now();
    const bytes = await ask(client, () => readSome(client, table, count), { ms: 2 * STATEMENT_MS });
    const tookMs = performance.now() - startedMs;
    if (count >= rows || performance.now() + tookMs * GROWTH > endMs)
      return { bytes: Math.round((bytes / count) * rows), readMs: (tookMs / count) * rows };
    count = Math.min(rows, count * GROWTH);
  }
}

/** The bytes that COPY sends of `count` rows. */
async function readSome(client: pg.Client, table: MoveTable, count: number): Promise<number> {
  const whole = copyStatement({ ...table, key: [] });
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
export function expectTime(
  tables: readonly { rows: number; bytes: number; readMs: number }[],
): PlannedTime {
  let copySeconds = 0.3;
  let passSeconds = 0.2;
  for (const { rows, bytes, readMs } of tables) {
    copySeconds += expectCopy({ rows, bytes, readMs }) + rows / FINISH_ROWS + bytes / FINISH_BYTES;
    passSeconds += rows / PASS_ROWS + bytes / FINISH_BYTES;
  }
  return { copySeconds, passSeconds };
}

/** Of one table's rows alone, in seconds: reading and loading go on at the same time. */
export function expectCopy({
  rows,
  bytes,
  readMs,
}: {
  rows: number;
  bytes: number;
  readMs: number;
}): number {
  return Math.max(readMs / 1000, rows / LOAD_ROWS + bytes / LOAD_BYTES);
}

export interface PlannedRoom {
  /** Where the file is made: the nearest folder above it that is there. */
  readonly folder: string;
  readonly neededBytes: number;
  readonly freeBytes: number;
}

/** The room that the move wants, and what is free. */
export function findRoom(
  to: string,
  tables: readonly { rows: number; bytes: number }[],
): PlannedRoom {
  let folder = dirname(resolve(to));
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const fileBytes = tables.reduce((sum, { rows, bytes }) => sum + bytes + rows * INDEX_BYTES, 0);
  return {
    folder,
    neededBytes: Math.round(fileBytes * ROOM + ROOM_BYTES),
    freeBytes: bavail * bsize,
  };
}

/** Nothing where there is room. */
export function judgeRoom({ folder, neededBytes, freeBytes }: PlannedRoom): Finding[] {
  if (freeBytes >= neededBytes) return [];
  return [
    stop(
      "target",
      `${folder} has ${inMegabytes(freeBytes)} free, and the move wants about ${inMegabytes(neededBytes)}.`,
      "Make room there, or give --to a file on a larger disk.",
    ),
  ];
}

/** "1,234 MB", of a million bytes each. */
export function inMegabytes(bytes: number): string {
  return `${bytes > 0 && bytes < 1_000_000 ? "under 1" : Math.round(bytes / 1_000_000).toLocaleString("en-US")} MB`;
}
