// Computes row counts and sums of row hashes: in PostgreSQL for the source, in worker threads for
// the file.

import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import type { ChecksumMessage, ChecksumRequest } from "./checksum.worker.ts";
import { type HashKind, formatLastHash, hashSeededText, rowHashSql } from "./row-hash.ts";
import { createAbortedError, readRows } from "./source-connection.ts";
import { qualifiedSourceName } from "./source-sql.ts";
import type { TableMapping } from "./table-mapping.ts";

export interface TableChecksum {
  readonly target: string;
  /** Including quarantined rows. */
  readonly rows: number;
  /** The sum of all hashes in decimal; it can exceed 64 bits. */
  readonly sum: string;
}

/**
 * Covers lengths around the hash's 12-byte blocks, other scripts, bytes above 127, and seeds of all
 * sizes.
 */
const HASH_SAMPLES = [
  ...Array.from({ length: 38 }, (_, length) =>
    "0123456789abcdefghijklmnopqrstuvwxyz-=".slice(0, length),
  ),
  "é",
  "ééééééé",
  "李雷 👩🏽‍🚀",
  "e\u0301",
  "\u007f\u0080\uffff",
  "x".repeat(1_000),
  "é".repeat(1_001),
];
const HASH_SEEDS = [
  "0",
  "1",
  "4294967296",
  "-1",
  "-4294967296",
  "9223372036854775807",
  "-9223372036854775808",
  "-2401053088876216593",
];

/**
 * PostgreSQL sends nothing while it sums. Five million rows take a few seconds on an idle server.
 */
export const CHECKSUM_TIMEOUT_MS = 3_600_000;

/**
 * Returns `native` for a UTF-8 server that hashes a few hundred samples as row-hash.ts does, else
 * `md5`.
 */
export async function chooseHashKind(source: pg.Client): Promise<HashKind> {
  const [encoding] = await readRows<{ server_encoding: string }>(source, "SHOW server_encoding");
  if (encoding!.server_encoding !== "UTF8") return "md5";
  const samples = HASH_SAMPLES.flatMap((text) => HASH_SEEDS.map((seed) => ({ text, seed })));
  const serverHashes = await readRows<{ hash: string }>(
    source,
    `SELECT hashtextextended(t COLLATE "C", s::bigint)::text AS hash FROM ROWS FROM (json_array_elements_text($1::json), json_array_elements_text($2::json)) WITH ORDINALITY AS samples(t, s, n) ORDER BY n`,
    [
      JSON.stringify(samples.map(({ text }) => text)),
      JSON.stringify(samples.map(({ seed }) => seed)),
    ],
  );
  const isSame = samples.every(({ text, seed }, i) => {
    hashSeededText(text, BigInt(seed));
    return formatLastHash() === serverHashes[i]!.hash;
  });
  return isSame ? "native" : "md5";
}

/** Computes the checksum of a source table in the connection's snapshot. */
export async function checksumSource(
  source: pg.Client,
  table: TableMapping,
  kind: HashKind,
): Promise<TableChecksum> {
  const [row] = await readRows<{ rows: string; sum: string }>(
    source,
    `SELECT count(*)::text AS rows, COALESCE(sum(${rowHashSql(table.columns, kind)}), 0)::text AS sum FROM ${qualifiedSourceName(table)}`,
    [],
    { ms: CHECKSUM_TIMEOUT_MS },
  );
  return { target: table.target, rows: Number(row!.rows), sum: row!.sum };
}

/** A larger file is split between two threads. */
const PARALLEL_THRESHOLD_BYTES = 33_554_432;

export interface FileChecksums {
  readonly sums: readonly TableChecksum[];
  readonly problems: readonly string[];
}

export interface ChecksumFileOptions extends Omit<ChecksumRequest, "part" | "parts"> {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { table: string; rows: number; total: number }) => void;
}

/**
 * Computes the checksums of the file's tables. Throws AppError(conflict) if the file cannot be
 * read, AppError(unavailable) on abort.
 */
export async function checksumFile({
  file,
  tables,
  kind,
  signal,
  onProgress,
}: ChecksumFileOptions): Promise<FileChecksums> {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new AppError("conflict", `${file} is missing.`);
  const parts = availableParallelism() > 1 && size > PARALLEL_THRESHOLD_BYTES ? 2 : 1;
  const seen = tables.map(() => Array<number>(parts).fill(0));
  const sums = tables.map(() => ({ rows: 0, sum: 0n }));
  const problems: string[] = [];
  const indexOf = new Map(tables.map(({ target }, i) => [target, i]));
  const sumPart = (part: number, partSignal: AbortSignal) =>
    runChecksumWorker({ file, tables, kind, part, parts }, partSignal, (message) => {
      if (message.kind === "end") return problems.push(...message.problems);
      const i = indexOf.get(message.target)!;
      if (message.kind === "sum") {
        sums[i]!.rows += message.rows;
        sums[i]!.sum += message.sum;
        return;
      }
      seen[i]![part] = message.rows;
      const rows = seen[i]!.reduce((one, other) => one + other);
      onProgress?.({ table: message.target, rows, total: Math.max(rows, message.total) });
    });
  await allOrAbort(
    Array.from(
      { length: parts },
      (_, part) => (partSignal: AbortSignal) => sumPart(part, partSignal),
    ),
    signal,
  );
  return {
    sums: tables.map(({ target }, i) => ({
      target,
      rows: sums[i]!.rows,
      sum: sums[i]!.sum.toString(),
    })),
    problems,
  };
}

/**
 * Runs all `works` in parallel. The first failure, or `signal`, aborts the others. Settles once all
 * have settled.
 */
export async function allOrAbort<Results extends readonly unknown[]>(
  works: {
    readonly [Index in keyof Results]: (signal: AbortSignal) => Promise<Results[Index]>;
  },
  signal?: AbortSignal,
): Promise<Results> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const errors: unknown[] = [];
  const settled = await Promise.allSettled(
    works.map(async (work) => {
      try {
        return await work(either);
      } catch (error) {
        errors.push(error);
        failed.abort();
        throw error;
      }
    }),
  );
  if (errors.length > 0) throw errors[0];
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as Results;
}

async function runChecksumWorker(
  request: ChecksumRequest,
  signal: AbortSignal,
  onMessage: (message: ChecksumMessage) => void,
): Promise<void> {
  if (signal.aborted) throw createAbortedError();
  const worker = new Worker(new URL("./checksum.worker.ts", import.meta.url), {
    workerData: request,
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  let stop = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      stop = () => reject(createAbortedError());
      signal.addEventListener("abort", stop);
      let isComplete = false;
      worker.on("message", (message: ChecksumMessage) => {
        isComplete ||= message.kind === "end";
        onMessage(message);
      });
      // SQLite's messages name tables and columns, never values.
      worker.on("error", (error) =>
        reject(
          new AppError(
            "conflict",
            `${request.file} cannot be read: ${/^SQLITE_/.test(String((error as { code?: unknown }).code)) ? error.message : error.name}`,
          ),
        ),
      );
      worker.on("exit", () =>
        isComplete ? resolve() : reject(new AppError("unavailable", "The comparison ended early.")),
      );
    });
  } finally {
    signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
