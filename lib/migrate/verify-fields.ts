// Single rows of both sides, compared field by field.

import type Database from "better-sqlite3";
import type pg from "pg";
import { canonicalSql } from "./convert.ts";
import { ASIDE_TABLE, type MoveTable, quoted, sourceName } from "./move.ts";
import { readRows } from "./source.ts";

/** Canonical texts in the order of the table's columns. What can't be one (a text for a date, a blob) stands as `undefined`: it equals nothing. */
export type Texts = readonly (string | null | undefined)[];

export interface FieldDifference {
  readonly key: readonly string[];
  readonly kind: "missing" | "extra" | "different";
  readonly columns: readonly string[];
}

/** About so many bytes of either side are compared field by field: recordings are large. */
const SAMPLE_BYTES = 4_194_304;
/** How many rows tell how large a table's rows are. */
const WEIGHED = 20;
/** From so many pages of the source the sample is chosen: reading them costs some milliseconds. */
const SAMPLE_PAGES = 200;

const columnOf = ({ columns }: MoveTable, name: string) =>
  columns.find((column) => column.name === name)!;
const textsSql = ({ columns }: MoveTable) =>
  columns.map((column, i) => `${canonicalSql(column)} AS c${i}`).join(", ");
const asTexts = ({ columns }: MoveTable, row: Record<string, string | null>): Texts =>
  columns.map((_, i) => row[`c${i}`]!);
const keyIn = ({ key, columns }: MoveTable, texts: Texts) =>
  key.map((name) => String(texts[columns.findIndex((column) => column.name === name)]));

/** `size` rows of the source from random places. */
export async function pickTheirs(
  source: pg.Client,
  table: MoveTable,
  size: number,
): Promise<Texts[]> {
  const name = sourceName(table);
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
  return rows.map((row) => asTexts(table, row));
}

/** At most `size` places of the file's table at which there may be a row. */
function randomRowids(db: Database.Database, { target }: MoveTable, size: number): number[] {
  // Each by itself: the two of one SELECT would read the whole table.
  const { first, last } = db
    .prepare(
      `SELECT (SELECT min(rowid) FROM ${quoted(target)}) AS first, (SELECT max(rowid) FROM ${quoted(target)}) AS last`,
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
export function sampleSize(db: Database.Database, table: MoveTable, atMost: number): number {
  const weigh = db
    .prepare(
      `SELECT ${table.columns.map(({ name }) => `COALESCE(octet_length(${quoted(name)}), 0)`).join(" + ")} FROM ${quoted(table.target)} WHERE rowid = ?`,
    )
    .pluck();
  const weights = randomRowids(db, table, WEIGHED).flatMap(
    (rowid) => (weigh.get(rowid) as number | undefined) ?? [],
  );
  const each = weights.reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.length);
  return Math.max(1, Math.min(atMost, Math.floor(SAMPLE_BYTES / Math.max(1, each))));
}

/** At most `size` rows of the file from random places, those put aside left out. */
export function pickOurs(db: Database.Database, table: MoveTable, size: number): Texts[] {
  const find = db
    .prepare(`SELECT ${namesOf(table)} FROM ${quoted(table.target)} WHERE rowid = ?`)
    .raw();
  return randomRowids(db, table, size).flatMap((rowid) => {
    const row = find.get(rowid) as unknown[] | undefined;
    return row ? [textsOf(table, row)] : [];
  });
}

const namesOf = ({ columns }: MoveTable) => columns.map(({ name }) => quoted(name)).join(", ");

function textsOf({ columns }: MoveTable, row: readonly unknown[]): Texts {
  return columns.map(({ as }, i) => {
    const value = row[i];
    if (value === null) return null;
    if (as === "date") return typeof value === "number" ? String(value) : undefined;
    return typeof value === "string" ? value : undefined;
  });
}

/** Finds the file's row with a key, wherever it is kept; null where there is none. */
export function createFinder(
  db: Database.Database,
  table: MoveTable,
): (key: readonly string[]) => Texts | null {
  const own = db
    .prepare(
      `SELECT ${namesOf(table)} FROM ${quoted(table.target)} WHERE ${table.key.map((name) => `${quoted(name)} = ?`).join(" AND ")}`,
    )
    .raw();
  const hasAside =
    db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(ASIDE_TABLE) !== undefined;
  const aside = hasAside
    ? db
        .prepare(
          `SELECT "row" FROM ${quoted(ASIDE_TABLE)} WHERE "source" = ? AND "key" = ? AND json_valid("row")`,
        )
        .pluck()
    : null;
  return (key) => {
    const row = own.get(key) as unknown[] | undefined;
    if (row) return textsOf(table, row);
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
export async function findTheirs(
  source: pg.Client,
  table: MoveTable,
  keys: readonly (readonly string[])[],
): Promise<Map<string, Texts>> {
  const sql = table.key.map((name) => canonicalSql(columnOf(table, name)));
  const given = table.key.map((_, i) => `$${i + 1}::text[]`);
  const where =
    sql.length === 1
      ? `${sql[0]} = ANY (${given[0]})`
      : `(${sql.join(", ")}) IN (SELECT * FROM unnest(${given.join(", ")}))`;
  const values = table.key.map((_, i) => keys.map((key) => key[i]!));
  // The client writes an array of texts as Postgres reads one.
  const rows = await readRows(
    source,
    `SELECT ${textsSql(table)} FROM ${sourceName(table)} WHERE ${where}`,
    values as unknown as string[],
  );
  return new Map(
    rows.map((row) => [JSON.stringify(keyIn(table, asTexts(table, row))), asTexts(table, row)]),
  );
}

/** The source's row with this key, as the source has it. */
export async function findTheir(
  source: pg.Client,
  table: MoveTable,
  sourceKey: readonly string[],
): Promise<Texts | null> {
  // Values without a type take the columns': their indexes serve.
  const [row] = await readRows(
    source,
    `SELECT ${textsSql(table)} FROM ${sourceName(table)} WHERE ${table.key.map((name, i) => `${quoted(name)} = $${i + 1}`).join(" AND ")}`,
    sourceKey,
  );
  return row ? asTexts(table, row) : null;
}

/** The names of the columns in which they differ. */
export function differing({ columns }: MoveTable, ours: Texts, theirs: Texts): string[] {
  return columns.filter((_, i) => ours[i] !== theirs[i]).map(({ name }) => name);
}

/**
 * About `atMost` rows from either side, each looked up on the other: how many they were, and those that are not the same. `isAskable`: whether every key of ours
 * can be sent there; a source that is not in UTF-8 refuses what it has no letters for.
 */
export async function compareSample(
  source: pg.Client,
  db: Database.Database,
  table: MoveTable,
  atMost: number,
  { isAskable = true }: { isAskable?: boolean } = {},
): Promise<{ sampled: number; wrong: FieldDifference[] }> {
  if (table.key.length === 0 || atMost === 0) return { sampled: 0, wrong: [] };
  const size = sampleSize(db, table, atMost);
  const find = createFinder(db, table);
  const wrong: FieldDifference[] = [];
  const compare = (key: readonly string[], ours: Texts | null, theirs: Texts | null) => {
    const columns = ours && theirs ? differing(table, ours, theirs) : [];
    if (!ours) wrong.push({ key, kind: "missing", columns });
    else if (!theirs) wrong.push({ key, kind: "extra", columns });
    else if (columns.length > 0) wrong.push({ key, kind: "different", columns });
  };
  const theirs = await pickTheirs(source, table, size);
  for (const texts of theirs) compare(keyIn(table, texts), find(keyIn(table, texts)), texts);
  const ours = isAskable ? pickOurs(db, table, size) : [];
  const found =
    ours.length > 0
      ? await findTheirs(
          source,
          table,
          ours.map((texts) => keyIn(table, texts)),
        )
      : new Map<string, Texts>();
  for (const texts of ours)
    compare(keyIn(table, texts), texts, found.get(JSON.stringify(keyIn(table, texts))) ?? null);
  return { sampled: theirs.length + ours.length, wrong };
}
