// The SQLite side of a comparison, in a thread of its own: number and sum of the hashes of a table's rows.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { formatKey } from "./convert-values.ts";
import { QUARANTINE_TABLE, type TableMapping, quoteIdentifier } from "./table-mapping.ts";
import { type HashKind, hashRow, lastHash, poisonHash } from "./row-hash.ts";

export interface ChecksumRequest {
  readonly file: string;
  readonly tables: readonly TableMapping[];
  readonly kind: HashKind;
  /** This thread takes the `part`th (from 0) of `parts` equal parts of every table. */
  readonly part: number;
  readonly parts: number;
}

export type ChecksumMessage =
  /** So far, of this part; `total` is of the whole table, and a little too high where rows were deleted. */
  | {
      readonly kind: "rows";
      readonly target: string;
      readonly rows: number;
      readonly total: number;
    }
  | { readonly kind: "sum"; readonly target: string; readonly rows: number; readonly sum: bigint }
  /** What is wrong with the file beyond the rows of a table, in sentences. */
  | { readonly kind: "end"; readonly problems: readonly string[] };

/** So many low halves fit a double exactly. */
const FLUSH_EVERY_ROWS = 1_000_000;
const REPORT_EVERY_ROWS = 16_384;

const { file, tables, kind, part, parts } = workerData as ChecksumRequest;
const port = parentPort!;
const db = new Database(file, { readonly: true, timeout: 10_000 });
const hasQuarantineTable =
  db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(QUARANTINE_TABLE) !== undefined;
const isFirst = part === 0;
const isLast = part === parts - 1;

function checksumTable(table: TableMapping): void {
  const { target, columns } = table;
  let rows = 0;
  let high = 0;
  let low = 0;
  let sum = 0n;
  const flush = () => {
    sum += (BigInt(high) << 32n) + BigInt(low);
    high = low = 0;
  };
  const add = () => {
    high += lastHash.high;
    low += lastHash.low >>> 0;
    rows += 1;
    if (rows % FLUSH_EVERY_ROWS === 0) flush();
  };
  // Each by itself: the two of one SELECT would read the whole table.
  const end = (which: "min" | "max") =>
    db
      .prepare(`SELECT ${which}(rowid) FROM ${quoteIdentifier(target)}`)
      .pluck()
      .get() as number | null;
  const first = end("min") ?? 0;
  const last = end("max") ?? -1;
  const total = last - first + 1;
  const from = first + Math.floor((total * part) / parts);
  const to = first + Math.floor((total * (part + 1)) / parts) - 1;
  const all = db
    .prepare(
      `SELECT ${columns.map(({ name }) => quoteIdentifier(name)).join(", ")} FROM ${quoteIdentifier(target)} WHERE rowid BETWEEN ? AND ?`,
    )
    .raw();
  for (const values of all.iterate(from, to) as IterableIterator<unknown[]>) {
    hashRow(columns, values, kind);
    add();
    if (rows % REPORT_EVERY_ROWS === 0)
      port.postMessage({ kind: "rows", target, rows, total } satisfies ChecksumMessage);
  }
  if (hasQuarantineTable && isFirst) {
    for (const [key, text] of db
      .prepare(`SELECT "key", "row" FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" = ?`)
      .raw()
      .iterate(target) as IterableIterator<[string, string]>) {
      hashQuarantinedRow(table, key, text);
      add();
    }
  }
  flush();
  port.postMessage({ kind: "rows", target, rows, total } satisfies ChecksumMessage);
  port.postMessage({ kind: "sum", target, rows, sum } satisfies ChecksumMessage);
}

/** A row that can't be read, or that is kept under another row's key, is like none of the source's. */
function hashQuarantinedRow(table: TableMapping, key: string, text: string): void {
  let texts: string[] = [];
  try {
    texts = JSON.parse(text) as string[];
  } catch {
    // as if it had no columns
  }
  const isWhole = Array.isArray(texts) && texts.length === table.columns.length;
  hashRow(table.columns, isWhole ? texts : table.columns.map(() => null), kind, true);
  if (!isWhole || formatKey(table, texts) !== key) poisonHash();
}

/** What no table's sum would show. */
function findProblems(): string[] {
  const orphans = db
    .prepare(
      `SELECT "table", "parent", count(*) AS count FROM pragma_foreign_key_check() GROUP BY 1, 2 ORDER BY 1, 2`,
    )
    .all() as { table: string; parent: string; count: number }[];
  const problems = orphans.map(
    ({ table, parent, count }) => `${count} of ${table} point at a ${parent} that is not there.`,
  );
  if (hasQuarantineTable) {
    const strange = db
      .prepare(
        `SELECT count(*) FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" NOT IN (SELECT "value" FROM json_each(?))`,
      )
      .pluck()
      .get(JSON.stringify(tables.map(({ target }) => target))) as number;
    if (strange > 0)
      problems.push(`${strange} rows in ${QUARANTINE_TABLE} are of a table that did not move.`);
  }
  return problems;
}

db.exec("BEGIN");
for (const table of tables) checksumTable(table);
port.postMessage({ kind: "end", problems: isLast ? findProblems() : [] } satisfies ChecksumMessage);
db.exec("COMMIT");
db.close();
