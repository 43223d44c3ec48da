// The SQLite side of a comparison, in a thread of its own: number and sum of the hashes of a table's rows.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { fromAside } from "./convert.ts";
import { ASIDE_TABLE, type MoveTable, quoted } from "./move.ts";
import { type HashKind, hashRow, hashed } from "./row-hash.ts";

export interface ChecksumRequest {
  readonly file: string;
  readonly tables: readonly MoveTable[];
  readonly kind: HashKind;
}

export interface TableSum {
  readonly target: string;
  /** Those put aside included. */
  readonly rows: number;
  /** Of all rows' hashes, as decimals: it has more than 64 bits. */
  readonly sum: string;
}

/** So many low halves fit a double exactly. */
const FLUSH_EVERY = 1_000_000;

const { file, tables, kind } = workerData as ChecksumRequest;
const db = new Database(file, { readonly: true, timeout: 10_000 });
db.exec("BEGIN");
const hasAside = db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(ASIDE_TABLE) !== undefined;
for (const table of tables) {
  const { target, columns } = table;
  let rows = 0;
  let high = 0;
  let low = 0;
  let sum = 0n;
  const flush = () => {
    sum += (BigInt(high) << 32n) + BigInt(low);
    high = low = 0;
  };
  const add = (values: readonly unknown[]) => {
    hashRow(columns, values, kind);
    high += hashed.high;
    low += hashed.low >>> 0;
    rows += 1;
    if (rows % FLUSH_EVERY === 0) flush();
  };
  const all = db.prepare(`SELECT ${columns.map(({ name }) => quoted(name)).join(", ")} FROM ${quoted(target)}`).raw();
  for (const values of all.iterate() as IterableIterator<unknown[]>) add(values);
  if (hasAside) {
    for (const text of db.prepare(`SELECT "row" FROM ${quoted(ASIDE_TABLE)} WHERE "source" = ?`).pluck().iterate(target) as IterableIterator<string>) add(fromAside(table, text));
  }
  flush();
  parentPort!.postMessage({ target, rows, sum: sum.toString() } satisfies TableSum);
}
db.exec("COMMIT");
db.close();
