// Number and sum of the hashes of all rows, on both sides at the same time.

import { Worker } from "node:worker_threads";
import type pg from "pg";
import { AppError } from "../base/errors.ts";
import type { ChecksumRequest, TableSum } from "./checksum-worker.ts";
import { type MoveTable, sourceName } from "./move.ts";
import { type HashKind, hashBytes, hashText, rowHashSql } from "./row-hash.ts";
import { readRows } from "./source.ts";

export type { TableSum };

/** Every length around the hash's steps of twelve bytes, other scripts, and seeds of all sizes. */
const SAMPLES = [...Array.from({ length: 38 }, (_, length) => "0123456789abcdefghijklmnopqrstuvwxyz-=".slice(0, length)), "é", "李雷 👩🏽‍🚀", "x".repeat(100_000)];
const SEEDS = ["1", "4294967296", "999999999999999"];

/** Which hash the server and we agree on: its own, tried on a hundred texts, else md5. */
export async function chooseHash(source: pg.Client): Promise<HashKind> {
  const asked = SAMPLES.flatMap((text) => SEEDS.map((seed) => ({ text, seed })));
  const answers = await readRows<{ hash: string }>(
    source,
    `SELECT hashtextextended(t COLLATE "C", s::bigint)::text AS hash FROM ROWS FROM (json_array_elements_text($1::json), json_array_elements_text($2::json)) WITH ORDINALITY AS given(t, s, n) ORDER BY n`,
    [JSON.stringify(asked.map(({ text }) => text)), JSON.stringify(asked.map(({ seed }) => seed))],
  );
  const agrees = asked.every(({ text, seed }, i) => {
    const bytes = Buffer.from(text);
    hashBytes(bytes, bytes.length, Math.floor(Number(seed) / 4_294_967_296) | 0, (Number(seed) % 4_294_967_296) | 0);
    return hashText() === answers[i]!.hash;
  });
  return agrees ? "native" : "md5";
}

/** The source's side, table by table, of the state that its connection sees. */
export async function sumSource(source: pg.Client, table: MoveTable, kind: HashKind): Promise<TableSum> {
  const [row] = await readRows<{ rows: string; sum: string }>(source, `SELECT count(*)::text AS rows, COALESCE(sum(${rowHashSql(table.columns, kind)}), 0)::text AS sum FROM ${sourceName(table)}`);
  return { target: table.target, rows: Number(row!.rows), sum: row!.sum };
}

/** The side of the file, in a thread of its own; `onTable` hears of each as it is done. Throws AppError(conflict) where the file can't be read. */
export function sumFile(request: ChecksumRequest, signal?: AbortSignal, onTable?: (sum: TableSum) => void): Promise<TableSum[]> {
  const worker = new Worker(new URL("./checksum-worker.ts", import.meta.url), { workerData: request, resourceLimits: { maxYoungGenerationSizeMb: 16 } });
  const sums: TableSum[] = [];
  return new Promise<TableSum[]>((resolve, reject) => {
    const stop = () => reject(new AppError("unavailable", "The comparison was stopped."));
    signal?.addEventListener("abort", stop);
    worker.on("message", (sum: TableSum) => {
      sums.push(sum);
      onTable?.(sum);
    });
    worker.on("error", (error) => reject(new AppError("conflict", `${request.file} can't be read: ${String((error as { code?: unknown }).code ?? error.name)}`)));
    worker.on("exit", () => {
      signal?.removeEventListener("abort", stop);
      if (sums.length === request.tables.length) resolve(sums);
      else reject(new AppError("unavailable", "The comparison ended early."));
    });
  }).finally(() => worker.terminate());
}
