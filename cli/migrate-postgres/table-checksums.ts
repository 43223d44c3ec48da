// Number and sum of the hashes of all rows, on both sides at the same time.

import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type pg from "pg";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { AppError } from "#lib/core/errors.ts";
import type { ChecksumMessage, ChecksumRequest } from "./checksum.worker.ts";
import { type TableMapping, qualifiedSourceName } from "./table-mapping.ts";
import { type HashKind, hashSeededText, formatLastHash, rowHashSql } from "./row-hash.ts";
import { closeSource, readRows } from "./source-connection.ts";

export interface TableChecksum {
  readonly target: string;
  /** Those put aside included. */
  readonly rows: number;
  /** Of all rows' hashes, as decimals: it has more than 64 bits. */
  readonly sum: string;
}

/** Every length around the hash's steps of twelve bytes, other scripts, bytes with their highest bit, and seeds of all sizes. */
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

/** The bound of a table's sum in the source, which says nothing while it counts: five million rows take some seconds. */
export const CHECKSUM_TIMEOUT_MS = 3_600_000;
/** The bound of a small question to the source. */
const QUERY_TIMEOUT_MS = 120_000;

/** Which hash the server and we agree on: its own, tried on some hundred texts; md5 where that one is another than ours, or where its texts are not in UTF-8. */
export async function chooseHashKind(source: pg.Client): Promise<HashKind> {
  const [encoding] = await readRows<{ server_encoding: string }>(source, "SHOW server_encoding");
  if (encoding!.server_encoding !== "UTF8") return "md5";
  const asked = HASH_SAMPLES.flatMap((text) => HASH_SEEDS.map((seed) => ({ text, seed })));
  const answers = await readRows<{ hash: string }>(
    source,
    `SELECT hashtextextended(t COLLATE "C", s::bigint)::text AS hash FROM ROWS FROM (json_array_elements_text($1::json), json_array_elements_text($2::json)) WITH ORDINALITY AS given(t, s, n) ORDER BY n`,
    [JSON.stringify(asked.map(({ text }) => text)), JSON.stringify(asked.map(({ seed }) => seed))],
  );
  const agrees = asked.every(({ text, seed }, i) => {
    hashSeededText(text, BigInt(seed));
    return formatLastHash() === answers[i]!.hash;
  });
  return agrees ? "native" : "md5";
}

/** The source's side of a table, of the state that its connection sees. */
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

/**
 * What `work` asks of `source`, or AppError(unavailable) when `signal` ends it or it takes longer than `ms`. The connection is given up then: what
 * was asked would hold it.
 */
export async function withSourceDeadline<T>(
  source: pg.Client,
  work: () => Promise<T>,
  { ms = QUERY_TIMEOUT_MS, signal }: { ms?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const give = () => void closeSource(source);
  if (signal?.aborted) throw createAbortedError();
  let stop = () => {};
  const end = new Promise<never>((_, reject) => {
    stop = () => {
      reject(createAbortedError());
      give();
    };
  });
  signal?.addEventListener("abort", stop);
  try {
    return await withTimeout(
      Promise.race([work(), end]),
      ms,
      `PostgreSQL has not answered for ${ms / 1000} seconds.`,
      give,
    );
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

export const createAbortedError = () => new AppError("unavailable", "The comparison was stopped.");

/** A file of so many bytes is worth a second thread. */
const PARALLEL_THRESHOLD_BYTES = 33_554_432;

export interface FileChecksums {
  readonly sums: readonly TableChecksum[];
  readonly problems: readonly string[];
}

export interface ChecksumFileOptions extends Omit<ChecksumRequest, "part" | "parts"> {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { table: string; rows: number; total: number }) => void;
}

/** The side of the file, in one or two threads. Throws AppError(conflict) where the file can't be read, AppError(unavailable) when `signal` ends it. */
export async function checksumFile({
  file,
  tables,
  kind,
  signal,
  onProgress,
}: ChecksumFileOptions): Promise<FileChecksums> {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new AppError("conflict", `${file} is not there.`);
  const parts = availableParallelism() > 1 && size > PARALLEL_THRESHOLD_BYTES ? 2 : 1;
  const seen = tables.map(() => Array<number>(parts).fill(0));
  const sums = tables.map(() => ({ rows: 0, sum: 0n }));
  const problems: string[] = [];
  const at = new Map(tables.map(({ target }, i) => [target, i]));
  const sumPart = (part: number, end: AbortSignal) =>
    runChecksumWorker({ file, tables, kind, part, parts }, end, (message) => {
      if (message.kind === "end") return problems.push(...message.problems);
      const i = at.get(message.target)!;
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
    Array.from({ length: parts }, (_, part) => (end: AbortSignal) => sumPart(part, end)),
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

/** Does all of `works` at the same time; the first that fails ends the others, and so does `signal`. Settles when all have. */
export async function allOrAbort<Results extends readonly unknown[]>(
  works: { readonly [At in keyof Results]: (signal: AbortSignal) => Promise<Results[At]> },
  signal?: AbortSignal,
): Promise<Results> {
  const failed = new AbortController();
  const end = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const errors: unknown[] = [];
  const settled = await Promise.allSettled(
    works.map(async (work) => {
      try {
        return await work(end);
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
      let isWhole = false;
      worker.on("message", (message: ChecksumMessage) => {
        isWhole ||= message.kind === "end";
        onMessage(message);
      });
      // What SQLite says names tables and columns, never values.
      worker.on("error", (error) =>
        reject(
          new AppError(
            "conflict",
            `${request.file} can't be read: ${/^SQLITE_/.test(String((error as { code?: unknown }).code)) ? error.message : error.name}`,
          ),
        ),
      );
      worker.on("exit", () =>
        isWhole ? resolve() : reject(new AppError("unavailable", "The comparison ended early.")),
      );
    });
  } finally {
    signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
