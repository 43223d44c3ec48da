// Finds rows that differ, with a merge join that reads both sides in key order.

import type Database from "better-sqlite3";
import type pg from "pg";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { createBinaryCopyReader } from "./binary-copy-reader.ts";
import { QUARANTINE_TABLE, hasQuarantineTable } from "./quarantine.ts";
import { readCopy } from "./read-copy.ts";
import { type HashKind, formatLastHash, hashRow, rowHashSql } from "./row-hash.ts";
import { canonicalSql, columnListSql, qualifiedSourceName } from "./source-sql.ts";
import { type TableMapping, extractKey, formatKey, optionalText } from "./table-mapping.ts";

export interface RowDifference {
  /** As in the target. */
  readonly key: readonly string[];
  /**
   * As in the source, for queries only: a session's key is a secret. Null if the source lacks the
   * row.
   */
  readonly sourceKey: readonly string[] | null;
  /** `missing`: only in the source; `extra`: only in the target; `different`: in both. */
  readonly kind: "missing" | "extra" | "different";
}

interface HashedRow {
  readonly key: readonly string[];
  readonly hash: string;
}

interface HashedSourceRow extends HashedRow {
  readonly sourceKey: readonly string[];
}

/**
 * Reads keys and hashes of the source in the order of the target's keys (UTF-8 bytes), a few
 * thousand at a time.
 */
async function* readSourceHashes(
  source: pg.Client,
  table: TableMapping,
  kind: HashKind,
  signal?: AbortSignal,
): AsyncGenerator<HashedSourceRow[]> {
  const keys = extractKey(table, table.columns).map(canonicalSql);
  const rawKeys = table.key.map((name) => `${quoteIdentifier(name)}::text`);
  // If both are equal, they are sent once.
  const isRaw = rawKeys.every((text, i) => text === keys[i]);
  // A server with another encoding sorts text by that encoding's bytes.
  const order = keys.map((text) =>
    kind === "md5" ? `convert_to(${text}, 'UTF8')` : `(${text}) COLLATE "C"`,
  );
  const values = [...keys, ...(isRaw ? [] : rawKeys), `(${rowHashSql(table.columns, kind)})::text`];
  let rows: HashedSourceRow[] = [];
  const reader = createBinaryCopyReader(
    { ...table, columns: values.map((_, i) => optionalText(String(i))) },
    (row) => {
      const width = keys.length;
      const key = row.slice(0, width) as string[];
      rows.push({
        key,
        sourceKey: isRaw ? key : (row.slice(width, 2 * width) as string[]),
        hash: row[values.length - 1] as string,
      });
    },
  );
  const sql = `COPY (SELECT ${values.join(", ")} FROM ${qualifiedSourceName(table)} ORDER BY ${order.join(", ")}) TO STDOUT (FORMAT binary)`;
  for await (const chunk of readCopy(source, sql, { signal })) {
    reader.push(chunk);
    if (rows.length > 0) yield rows;
    rows = [];
  }
  reader.finish();
}

function* readTargetHashes(
  db: Database.Database,
  table: TableMapping,
  kind: HashKind,
): Generator<HashedRow> {
  const all = db
    .prepare(
      `SELECT ${columnListSql(table)} FROM ${quoteIdentifier(table.target)} ORDER BY ${table.key.map(quoteIdentifier).join(", ")}`,
    )
    .raw();
  for (const row of all.iterate() as IterableIterator<unknown[]>) {
    hashRow(table.columns, row, kind);
    yield { key: extractKey(table, row).map(String), hash: formatLastHash() };
  }
}

/**
 * Returns a condition that "row" is a JSON array of the right length: a modified file may contain
 * anything.
 */
const isCompleteRowSql = ({ columns }: TableMapping) =>
  `CASE WHEN json_valid("row") THEN json_array_length("row") = ${columns.length} ELSE 0 END`;

/** Reads keys and hashes of the table's quarantined rows. */
function* readQuarantinedHashes(
  db: Database.Database,
  table: TableMapping,
  kind: HashKind,
): Generator<HashedRow> {
  if (!hasQuarantineTable(db)) return;
  const positions = extractKey(table, [...table.columns.keys()]);
  const all = db
    .prepare(
      `SELECT "row" FROM "${QUARANTINE_TABLE}" WHERE "source" = ? AND ${isCompleteRowSql(table)} ORDER BY ${positions.map((i) => `"row" ->> '$[${i}]'`).join(", ")}`,
    )
    .pluck();
  for (const json of all.iterate(table.target) as IterableIterator<string>) {
    const texts = JSON.parse(json) as unknown[];
    hashRow(table.columns, texts, kind, true);
    yield { key: extractKey(table, texts).map(String), hash: formatLastHash() };
  }
}

/** Reads the keys of quarantined rows that are malformed or have a different key. */
function* readMalformedKeys(db: Database.Database, table: TableMapping): Generator<string> {
  if (!hasQuarantineTable(db)) return;
  const all = db
    .prepare(
      `SELECT "key", "row", ${isCompleteRowSql(table)} FROM "${QUARANTINE_TABLE}" WHERE "source" = ? ORDER BY "key"`,
    )
    .raw();
  for (const [key, json, isComplete] of all.iterate(table.target) as IterableIterator<
    [string, string, number]
  >) {
    if (!isComplete || formatKey(table, JSON.parse(json) as unknown[]) !== key) yield key;
  }
}

/**
 * Compares by UTF-8 bytes, like both databases; JavaScript's UTF-16 order differs beyond U+FFFF.
 */
function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i += 1) {
    if (a[i] !== b[i]) return Buffer.compare(Buffer.from(a[i]!), Buffer.from(b[i]!));
  }
  return 0;
}

/** One side of the merge join. */
interface Cursor {
  row: HashedRow | null;
  next(): void;
}

function openCursor(rows: Generator<HashedRow>): Cursor {
  const cursor: Cursor = {
    row: null,
    next() {
      const { done, value } = rows.next();
      cursor.row = done ? null : value;
    },
  };
  cursor.next();
  return cursor;
}

export interface DifferencesOptions {
  /** Must have a fixed snapshot. Busy until the end; a consumer that stops early must close it. */
  readonly source: pg.Client;
  /** Must not be used for writes until then: better-sqlite3 rejects them during a read. */
  readonly db: Database.Database;
  readonly table: TableMapping;
  /** From chooseHashKind. */
  readonly kind: HashKind;
  readonly signal?: AbortSignal;
}

/**
 * Yields the rows that differ, in key order and constant memory. A row that is both in its table
 * and in quarantine is `different`. Malformed quarantined rows come first, as `extra`, with their
 * key as one string. Yields nothing for a table without a key. Throws AppError(unavailable) if the
 * source is lost or `signal` aborts.
 */
export async function* findDifferences({
  source,
  db,
  table,
  kind,
  signal,
}: DifferencesOptions): AsyncGenerator<RowDifference> {
  if (table.key.length === 0) return;
  for (const key of readMalformedKeys(db, table))
    yield { key: [key], sourceKey: null, kind: "extra" };
  const tableRows = readTargetHashes(db, table, kind);
  const quarantinedRows = readQuarantinedHashes(db, table, kind);
  try {
    const [inTable, inQuarantine] = [openCursor(tableRows), openCursor(quarantinedRows)];
    for await (const rows of readSourceHashes(source, table, kind, signal)) {
      for (const row of rows) {
        // The fast path, for nearly every row.
        if (
          !inQuarantine.row &&
          inTable.row?.hash === row.hash &&
          compareKeys(inTable.row.key, row.key) === 0
        ) {
          inTable.next();
          continue;
        }
        yield* yieldExtras([inTable, inQuarantine], row.key);
        const matches = [inTable, inQuarantine].filter(
          (side) => side.row !== null && compareKeys(side.row.key, row.key) === 0,
        );
        const isEqual = matches.length === 1 && matches[0]!.row!.hash === row.hash;
        if (!isEqual)
          yield {
            key: row.key,
            sourceKey: row.sourceKey,
            kind: matches.length === 0 ? "missing" : "different",
          };
        for (const side of matches) side.next();
      }
    }
    yield* yieldExtras([inTable, inQuarantine], null);
  } finally {
    tableRows.return(undefined);
    quarantinedRows.return(undefined);
  }
}

/** Yields rows before `key` (null: all that remain), which the source does not have. */
function* yieldExtras(
  sides: readonly Cursor[],
  key: readonly string[] | null,
): Generator<RowDifference> {
  for (;;) {
    const [first] = sides
      .filter(({ row }) => row !== null && (key === null || compareKeys(row.key, key) < 0))
      .sort((a, b) => compareKeys(a.row!.key, b.row!.key));
    if (!first) return;
    yield { key: first.row!.key, sourceKey: null, kind: "extra" };
    first.next();
  }
}
