// Single rows of both sides, compared field by field.

import type Database from "better-sqlite3";
import type pg from "pg";
import { canonicalSql } from "./convert-values.ts";
import {
  QUARANTINE_TABLE,
  type TableMapping,
  quoteIdentifier,
  qualifiedSourceName,
} from "./table-mapping.ts";
import { readRows } from "./source-connection.ts";

/** Canonical texts in the order of the table's columns. What can't be one (a text for a date, a blob) stands as `undefined`: it equals nothing. */
export type CanonicalRow = readonly (string | null | undefined)[];

export interface FieldDifference {
  readonly key: readonly string[];
  readonly kind: "missing" | "extra" | "different";
  readonly columns: readonly string[];
}

/** About so many bytes of either side are compared field by field: recordings are large. */
const SAMPLE_BYTES = 4_194_304;
/** How many rows tell how large a table's rows are. */
const WEIGHED_ROWS = 20;
/** From so many pages of the source the sample is chosen: reading them costs some milliseconds. */
const SAMPLE_PAGES = 200;

const getColumn = ({ columns }: TableMapping, name: string) =>
  columns.find((column) => column.name === name)!;
const textsSql = ({ columns }: TableMapping) =>
  columns.map((column, i) => `${canonicalSql(column)} AS c${i}`).join(", ");
const readCanonicalRow = (
  { columns }: TableMapping,
  row: Record<string, string | null>,
): CanonicalRow => columns.map((_, i) => row[`c${i}`]!);
const extractKey = ({ key, columns }: TableMapping, texts: CanonicalRow) =>
  key.map((name) => String(texts[columns.findIndex((column) => column.name === name)]));

/** `size` rows of the source from random places. */
export async function sampleSourceRows(
  source: pg.Client,
  table: TableMapping,
  size: number,
): Promise<CanonicalRow[]> {
  const name = qualifiedSourceName(table);
  const [found] = await readRows<{ pages: string }>(
    source,
    "SELECT ceil(pg_relation_size($1::regclass) / current_setting('block_size')::numeric)::text AS pages",
    [name],
  );
  const percent = Math.min(100, (100 * SAMPLE_PAGES) / Math.max(1, Number(found!.pages)));
  const rows = await readRows(
    source,
    `SELECT ${textsSql(table)} FROM ${name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${name} TABLESAMPLE SYSTEM (${percent}) ORDER BY random() LIMIT ${size})) LIMIT ${size}`,
  );
  return rows.map((row) => readCanonicalRow(table, row));
}

/** At most `size` places of the file's table at which there may be a row. */
function randomRowids(db: Database.Database, { target }: TableMapping, size: number): number[] {
  // Each by itself: the two of one SELECT would read the whole table.
  const { first, last } = db
    .prepare(
      `SELECT (SELECT min(rowid) FROM ${quoteIdentifier(target)}) AS first, (SELECT max(rowid) FROM ${quoteIdentifier(target)}) AS last`,
    )
    .get() as { first: number | null; last: number | null };
  if (first === null || last === null) return [];
  return [
    ...new Set(
      Array.from({ length: size }, () => first + Math.floor(Math.random() * (last - first + 1))),
    ),
  ];
}

/** How many rows are compared: `atMost`, fewer where they are large, at least one. SQLite knows a text's length without reading it. */
export function sampleSize(db: Database.Database, table: TableMapping, atMost: number): number {
  const weigh = db
    .prepare(
      `SELECT ${table.columns.map(({ name }) => `COALESCE(octet_length(${quoteIdentifier(name)}), 0)`).join(" + ")} FROM ${quoteIdentifier(table.target)} WHERE rowid = ?`,
    )
    .pluck();
  const weights = randomRowids(db, table, WEIGHED_ROWS).flatMap(
    (rowid) => (weigh.get(rowid) as number | undefined) ?? [],
  );
  const each = weights.reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.length);
  return Math.max(1, Math.min(atMost, Math.floor(SAMPLE_BYTES / Math.max(1, each))));
}

/** At most `size` rows of the file from random places, those put aside left out. */
export function sampleStagingRows(
  db: Database.Database,
  table: TableMapping,
  size: number,
): CanonicalRow[] {
  const find = db
    .prepare(
      `SELECT ${columnNamesSql(table)} FROM ${quoteIdentifier(table.target)} WHERE rowid = ?`,
    )
    .raw();
  return randomRowids(db, table, size).flatMap((rowid) => {
    const row = find.get(rowid) as unknown[] | undefined;
    return row ? [toCanonicalRow(table, row)] : [];
  });
}

const columnNamesSql = ({ columns }: TableMapping) =>
  columns.map(({ name }) => quoteIdentifier(name)).join(", ");

function toCanonicalRow({ columns }: TableMapping, row: readonly unknown[]): CanonicalRow {
  return columns.map(({ as }, i) => {
    const value = row[i];
    if (value === null) return null;
    if (as === "date") return typeof value === "number" ? String(value) : undefined;
    return typeof value === "string" ? value : undefined;
  });
}

/** Finds the file's row with a key, wherever it is kept; null where there is none. */
export function createRowFinder(
  db: Database.Database,
  table: TableMapping,
): (key: readonly string[]) => CanonicalRow | null {
  const own = db
    .prepare(
      `SELECT ${columnNamesSql(table)} FROM ${quoteIdentifier(table.target)} WHERE ${table.key.map((name) => `${quoteIdentifier(name)} = ?`).join(" AND ")}`,
    )
    .raw();
  const hasAside =
    db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(QUARANTINE_TABLE) !== undefined;
  const aside = hasAside
    ? db
        .prepare(
          `SELECT "row" FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" = ? AND "key" = ? AND json_valid("row")`,
        )
        .pluck()
    : null;
  return (key) => {
    const row = own.get(key) as unknown[] | undefined;
    if (row) return toCanonicalRow(table, row);
    const kept = aside?.get(table.target, key.join(" ")) as string | undefined;
    const texts = kept === undefined ? null : (JSON.parse(kept) as unknown);
    return Array.isArray(texts)
      ? table.columns.map((_, i) =>
          typeof texts[i] === "string" || texts[i] === null
            ? (texts[i] as string | null)
            : undefined,
        )
      : null;
  };
}

/** The source's rows with these keys (as the target has them), by their keys joined as JSON. */
export async function findSourceRows(
  source: pg.Client,
  table: TableMapping,
  keys: readonly (readonly string[])[],
): Promise<Map<string, CanonicalRow>> {
  const sql = table.key.map((name) => canonicalSql(getColumn(table, name)));
  const given = table.key.map((_, i) => `$${i + 1}::text[]`);
  const where =
    sql.length === 1
      ? `${sql[0]} = ANY (${given[0]})`
      : `(${sql.join(", ")}) IN (SELECT * FROM unnest(${given.join(", ")}))`;
  const values = table.key.map((_, i) => keys.map((key) => key[i]!));
  // The client writes an array of texts as Postgres reads one.
  const rows = await readRows(
    source,
    `SELECT ${textsSql(table)} FROM ${qualifiedSourceName(table)} WHERE ${where}`,
    values as unknown as string[],
  );
  return new Map(
    rows.map((row) => [
      JSON.stringify(extractKey(table, readCanonicalRow(table, row))),
      readCanonicalRow(table, row),
    ]),
  );
}

/** The source's row with this key, as the source has it. */
export async function findSourceRow(
  source: pg.Client,
  table: TableMapping,
  sourceKey: readonly string[],
): Promise<CanonicalRow | null> {
  // Values without a type take the columns': their indexes serve.
  const [row] = await readRows(
    source,
    `SELECT ${textsSql(table)} FROM ${qualifiedSourceName(table)} WHERE ${table.key.map((name, i) => `${quoteIdentifier(name)} = $${i + 1}`).join(" AND ")}`,
    sourceKey,
  );
  return row ? readCanonicalRow(table, row) : null;
}

/** The names of the columns in which they differ. */
export function listDifferingColumns(
  { columns }: TableMapping,
  ours: CanonicalRow,
  theirs: CanonicalRow,
): string[] {
  return columns.filter((_, i) => ours[i] !== theirs[i]).map(({ name }) => name);
}

/**
 * About `atMost` rows from either side, each looked up on the other: how many they were, and those that are not the same. `isAskable`: whether every key of ours
 * can be sent there; a source that is not in UTF-8 refuses what it has no letters for.
 */
export async function compareSample(
  source: pg.Client,
  db: Database.Database,
  table: TableMapping,
  atMost: number,
  { isAskable = true }: { isAskable?: boolean } = {},
): Promise<{ sampled: number; wrong: FieldDifference[] }> {
  if (table.key.length === 0 || atMost === 0) return { sampled: 0, wrong: [] };
  const size = sampleSize(db, table, atMost);
  const find = createRowFinder(db, table);
  const wrong: FieldDifference[] = [];
  const compare = (
    key: readonly string[],
    ours: CanonicalRow | null,
    theirs: CanonicalRow | null,
  ) => {
    const columns = ours && theirs ? listDifferingColumns(table, ours, theirs) : [];
    if (!ours) wrong.push({ key, kind: "missing", columns });
    else if (!theirs) wrong.push({ key, kind: "extra", columns });
    else if (columns.length > 0) wrong.push({ key, kind: "different", columns });
  };
  const theirs = await sampleSourceRows(source, table, size);
  for (const texts of theirs)
    compare(extractKey(table, texts), find(extractKey(table, texts)), texts);
  const ours = isAskable ? sampleStagingRows(db, table, size) : [];
  const found =
    ours.length > 0
      ? await findSourceRows(
          source,
          table,
          ours.map((texts) => extractKey(table, texts)),
        )
      : new Map<string, CanonicalRow>();
  for (const texts of ours)
    compare(
      extractKey(table, texts),
      texts,
      found.get(JSON.stringify(extractKey(table, texts))) ?? null,
    );
  return { sampled: theirs.length + ours.length, wrong };
}
