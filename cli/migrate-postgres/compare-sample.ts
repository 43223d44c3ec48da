// Compares a sample of rows field by field.

import type Database from "better-sqlite3";
import type pg from "pg";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { QUARANTINE_TABLE, hasQuarantineTable } from "./quarantine.ts";
import { readRows } from "./source-connection.ts";
import {
  canonicalSql,
  columnListSql,
  findRowidName,
  matchKeysSql,
  qualifiedSourceName,
} from "./source-sql.ts";
import { type TableMapping, extractKey } from "./table-mapping.ts";

/**
 * Canonical strings in column order. A value of the wrong type is `undefined`, which never compares
 * equal.
 */
export type CanonicalRow = readonly (string | null | undefined)[];

export interface FieldDifference {
  readonly key: readonly string[];
  readonly kind: "missing" | "extra" | "different";
  readonly columns: readonly string[];
}

/** The sample's size limit per side: recordings are large. */
const SAMPLE_BYTES = 4_194_304;
/** How many rows are measured to estimate a table's row size. */
const WEIGHED_ROWS = 20;
/** The sample comes from about this many pages of the source, which takes milliseconds. */
const SAMPLE_PAGES = 200;

const textsSql = ({ columns }: TableMapping) =>
  columns.map((column, i) => `${canonicalSql(column)} AS c${i}`).join(", ");
const readCanonicalRow = (
  { columns }: TableMapping,
  row: Record<string, string | null>,
): CanonicalRow => columns.map((_, i) => row[`c${i}`]!);
const keyTexts = (table: TableMapping, row: CanonicalRow) => extractKey(table, row).map(String);

/** Reads `size` random rows of the source. */
async function sampleSourceRows(
  source: pg.Client,
  table: TableMapping,
  size: number,
): Promise<CanonicalRow[]> {
  const name = qualifiedSourceName(table);
  const [relation] = await readRows<{ pages: string }>(
    source,
    "SELECT ceil(pg_relation_size($1::regclass) / current_setting('block_size')::numeric)::text AS pages",
    [name],
  );
  const percent = Math.min(100, (100 * SAMPLE_PAGES) / Math.max(1, Number(relation!.pages)));
  const rows = await readRows(
    source,
    `SELECT ${textsSql(table)} FROM ${name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${name} TABLESAMPLE SYSTEM (${percent}) ORDER BY random() LIMIT ${size})) LIMIT ${size}`,
  );
  return rows.map((row) => readCanonicalRow(table, row));
}

/** Returns at most `size` random rowids, which may have no row. */
function randomRowids(db: Database.Database, table: TableMapping, size: number): number[] {
  const target = quoteIdentifier(table.target);
  const rowid = findRowidName(table);
  // Separate subqueries: min() and max() in one would scan the whole table.
  const { first, last } = db
    .prepare(
      `SELECT (SELECT min(${rowid}) FROM ${target}) AS first, (SELECT max(${rowid}) FROM ${target}) AS last`,
    )
    .get() as { first: number | null; last: number | null };
  if (first === null || last === null) return [];
  return [
    ...new Set(
      Array.from({ length: size }, () => first + Math.floor(Math.random() * (last - first + 1))),
    ),
  ];
}

/**
 * Returns how many rows to compare: `atMost`, or fewer if they are large, but at least one. SQLite
 * knows a text's length without reading it.
 */
function sampleSize(db: Database.Database, table: TableMapping, atMost: number): number {
  const readWeight = db
    .prepare(
      `SELECT ${table.columns.map(({ name }) => `COALESCE(octet_length(${quoteIdentifier(name)}), 0)`).join(" + ")} FROM ${quoteIdentifier(table.target)} WHERE ${findRowidName(table)} = ?`,
    )
    .pluck();
  const weights = randomRowids(db, table, WEIGHED_ROWS).flatMap(
    (rowid) => (readWeight.get(rowid) as number | undefined) ?? [],
  );
  const meanBytes = weights.reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.length);
  return Math.max(1, Math.min(atMost, Math.floor(SAMPLE_BYTES / Math.max(1, meanBytes))));
}

/** Reads at most `size` random rows of the file, without quarantined rows. */
function sampleStagingRows(
  db: Database.Database,
  table: TableMapping,
  size: number,
): CanonicalRow[] {
  const find = db
    .prepare(
      `SELECT ${columnListSql(table)} FROM ${quoteIdentifier(table.target)} WHERE ${findRowidName(table)} = ?`,
    )
    .raw();
  return randomRowids(db, table, size).flatMap((rowid) => {
    const row = find.get(rowid) as unknown[] | undefined;
    return row ? [toCanonicalRow(table, row)] : [];
  });
}

function toCanonicalRow({ columns }: TableMapping, row: readonly unknown[]): CanonicalRow {
  return columns.map(({ as }, i) => {
    const value = row[i];
    if (value === null) return null;
    if (as === "date") return typeof value === "number" ? String(value) : undefined;
    return typeof value === "string" ? value : undefined;
  });
}

/** Returns a function that finds the file's row by key, in its table or in quarantine, or null. */
export function createRowFinder(
  db: Database.Database,
  table: TableMapping,
): (key: readonly string[]) => CanonicalRow | null {
  const inTable = db
    .prepare(
      `SELECT ${columnListSql(table)} FROM ${quoteIdentifier(table.target)} WHERE ${table.key.map((name) => `${quoteIdentifier(name)} = ?`).join(" AND ")}`,
    )
    .raw();
  const inQuarantine = hasQuarantineTable(db)
    ? db
        .prepare(
          `SELECT "row" FROM "${QUARANTINE_TABLE}" WHERE "source" = ? AND "key" = ? AND json_valid("row")`,
        )
        .pluck()
    : null;
  return (key) => {
    const row = inTable.get(key) as unknown[] | undefined;
    if (row) return toCanonicalRow(table, row);
    const json = inQuarantine?.get(table.target, key.join(" ")) as string | undefined;
    const texts = json === undefined ? null : (JSON.parse(json) as unknown);
    return Array.isArray(texts)
      ? table.columns.map((_, i) =>
          typeof texts[i] === "string" || texts[i] === null
            ? (texts[i] as string | null)
            : undefined,
        )
      : null;
  };
}

/** Reads the source's rows by the target's keys. Returns them in a map whose keys are JSON. */
async function findSourceRows(
  source: pg.Client,
  table: TableMapping,
  keys: readonly (readonly string[])[],
): Promise<Map<string, CanonicalRow>> {
  const { where, values } = matchKeysSql(extractKey(table, table.columns).map(canonicalSql), keys);
  const rows = await readRows(
    source,
    `SELECT ${textsSql(table)} FROM ${qualifiedSourceName(table)} WHERE ${where}`,
    values,
  );
  return new Map(
    rows.map((row) => {
      const canonicalRow = readCanonicalRow(table, row);
      return [JSON.stringify(keyTexts(table, canonicalRow)), canonicalRow];
    }),
  );
}

/** Reads one row of the source by the source's own key. */
export async function findSourceRow(
  source: pg.Client,
  table: TableMapping,
  sourceKey: readonly string[],
): Promise<CanonicalRow | null> {
  // Untyped parameters take the types of the columns, so that PostgreSQL uses the index.
  const [row] = await readRows(
    source,
    `SELECT ${textsSql(table)} FROM ${qualifiedSourceName(table)} WHERE ${table.key.map((name, i) => `${quoteIdentifier(name)} = $${i + 1}`).join(" AND ")}`,
    sourceKey,
  );
  return row ? readCanonicalRow(table, row) : null;
}

/** Names the columns in which two rows differ. */
export function listDifferingColumns(
  { columns }: TableMapping,
  fileRow: CanonicalRow,
  sourceRow: CanonicalRow,
): string[] {
  return columns.filter((_, i) => fileRow[i] !== sourceRow[i]).map(({ name }) => name);
}

/**
 * Compares about `atMost` rows of each side with the other. `canQueryKeys: false` skips the file's
 * rows: a source that is not UTF-8 rejects keys that it cannot encode.
 */
export async function compareSample(
  source: pg.Client,
  db: Database.Database,
  table: TableMapping,
  atMost: number,
  { canQueryKeys = true }: { canQueryKeys?: boolean } = {},
): Promise<{ sampled: number; differences: FieldDifference[] }> {
  if (table.key.length === 0 || atMost === 0) return { sampled: 0, differences: [] };
  const size = sampleSize(db, table, atMost);
  const findFileRow = createRowFinder(db, table);
  const differences: FieldDifference[] = [];
  const compare = (
    key: readonly string[],
    fileRow: CanonicalRow | null,
    sourceRow: CanonicalRow | null,
  ) => {
    const columns = fileRow && sourceRow ? listDifferingColumns(table, fileRow, sourceRow) : [];
    if (!fileRow) differences.push({ key, kind: "missing", columns });
    else if (!sourceRow) differences.push({ key, kind: "extra", columns });
    else if (columns.length > 0) differences.push({ key, kind: "different", columns });
  };
  const sourceSample = await sampleSourceRows(source, table, size);
  for (const row of sourceSample) {
    const key = keyTexts(table, row);
    compare(key, findFileRow(key), row);
  }
  const fileSample = (canQueryKeys ? sampleStagingRows(db, table, size) : []).map((row) => ({
    row,
    key: keyTexts(table, row),
  }));
  const sourceRows =
    fileSample.length > 0
      ? await findSourceRows(
          source,
          table,
          fileSample.map(({ key }) => key),
        )
      : new Map<string, CanonicalRow>();
  for (const { row, key } of fileSample)
    compare(key, row, sourceRows.get(JSON.stringify(key)) ?? null);
  return { sampled: sourceSample.length + fileSample.length, differences };
}
