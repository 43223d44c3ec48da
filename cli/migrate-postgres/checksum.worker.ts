// Counts the file's rows and sums their hashes in a worker thread.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { QUARANTINE_TABLE, hasQuarantineTable } from "./quarantine.ts";
import { type HashKind, hashRow, lastHash, poisonHash } from "./row-hash.ts";
import { columnListSql, findRowidName } from "./source-sql.ts";
import { type TableMapping, formatKey } from "./table-mapping.ts";

export interface ChecksumRequest {
  readonly file: string;
  readonly tables: readonly TableMapping[];
  readonly kind: HashKind;
  /** Which of `parts` equal parts of every table this thread sums, starting at 0. */
  readonly part: number;
  readonly parts: number;
}

export type ChecksumMessage =
  /**
   * Rows of this part so far. `total` covers the whole table, and is too high if rows were deleted.
   */
  | {
      readonly kind: "rows";
      readonly target: string;
      readonly rows: number;
      readonly total: number;
    }
  | { readonly kind: "sum"; readonly target: string; readonly rows: number; readonly sum: bigint }
  /** Problems that checksums can't detect, in sentences. */
  | { readonly kind: "end"; readonly problems: readonly string[] };

/** A double sums this many 32-bit numbers exactly. */
const FLUSH_EVERY_ROWS = 1_000_000;
const REPORT_EVERY_ROWS = 16_384;

const { file, tables, kind, part, parts } = workerData as ChecksumRequest;
const port = parentPort!;
const db = new Database(file, { readonly: true, timeout: 10_000 });
const hasQuarantine = hasQuarantineTable(db);
const isFirst = part === 0;
const isLast = part === parts - 1;

function checksumTable(table: TableMapping): void {
  const { target, columns } = table;
  const rowid = findRowidName(table);
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
  // Separate statements: min() and max() in one would scan the whole table.
  const readRowid = (which: "min" | "max") =>
    db
      .prepare(`SELECT ${which}(${rowid}) FROM ${quoteIdentifier(target)}`)
      .pluck()
      .get() as number | null;
  const first = readRowid("min") ?? 0;
  const last = readRowid("max") ?? -1;
  const total = last - first + 1;
  const from = first + Math.floor((total * part) / parts);
  const to = first + Math.floor((total * (part + 1)) / parts) - 1;
  const all = db
    .prepare(
      `SELECT ${columnListSql(table)} FROM ${quoteIdentifier(target)} WHERE ${rowid} BETWEEN ? AND ?`,
    )
    .raw();
  for (const values of all.iterate(from, to) as IterableIterator<unknown[]>) {
    hashRow(columns, values, kind);
    add();
    if (rows % REPORT_EVERY_ROWS === 0)
      port.postMessage({ kind: "rows", target, rows, total } satisfies ChecksumMessage);
  }
  if (hasQuarantine && isFirst) {
    for (const [key, text] of db
      .prepare(`SELECT "key", "row" FROM "${QUARANTINE_TABLE}" WHERE "source" = ?`)
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

/**
 * A malformed row, or one stored under another row's key, gets a hash that matches no source row.
 */
function hashQuarantinedRow(table: TableMapping, key: string, text: string): void {
  let texts: string[] = [];
  try {
    texts = JSON.parse(text) as string[];
  } catch {
    // Treated as malformed below.
  }
  const isComplete = Array.isArray(texts) && texts.length === table.columns.length;
  hashRow(table.columns, isComplete ? texts : table.columns.map(() => null), kind, true);
  if (!isComplete || formatKey(table, texts) !== key) poisonHash();
}

/** Finds problems that checksums can't detect. */
function findProblems(): string[] {
  const orphans = db
    .prepare(
      `SELECT "table", "parent", count(*) AS count FROM pragma_foreign_key_check() GROUP BY 1, 2 ORDER BY 1, 2`,
    )
    .all() as { table: string; parent: string; count: number }[];
  const problems = orphans.map(
    ({ table, parent, count }) =>
      `${count} rows of ${table} refer to a ${parent} that does not exist.`,
  );
  if (hasQuarantine) {
    const foreignRows = db
      .prepare(
        `SELECT count(*) FROM "${QUARANTINE_TABLE}" WHERE "source" NOT IN (SELECT "value" FROM json_each(?))`,
      )
      .pluck()
      .get(JSON.stringify(tables.map(({ target }) => target))) as number;
    if (foreignRows > 0)
      problems.push(
        `${foreignRows} rows in ${QUARANTINE_TABLE} are of a table that was not migrated.`,
      );
  }
  return problems;
}

db.exec("BEGIN");
for (const table of tables) checksumTable(table);
port.postMessage({ kind: "end", problems: isLast ? findProblems() : [] } satisfies ChecksumMessage);
db.exec("COMMIT");
db.close();
