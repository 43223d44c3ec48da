// Whether the copy and the source are the same: every row by number and sum of hashes, a sample field by field, and which rows differ if not.

import Database from "better-sqlite3";
import type pg from "pg";
import { chooseHash, sumFile, sumSource, type TableSum } from "./checksums.ts";
import { canonicalSql, canonicalTexts, fromAside } from "./convert.ts";
import { findDifferences } from "./differences.ts";
import { ASIDE_TABLE, type MoveTable, type Row, quoted, sourceName } from "./move.ts";
import { readRows } from "./source.ts";

/** How many differing rows of a table are named. */
const MAX_NAMED = 10;
const SAMPLE = 200;

export interface NamedDifference {
  /** As the target has it. */
  readonly key: string;
  readonly kind: "missing" | "extra" | "different";
  /** Where both sides have the row: the columns that differ. */
  readonly columns: readonly string[];
}

export interface VerifiedTable {
  readonly target: string;
  readonly source: { readonly rows: number; readonly sum: string };
  /** Rows that were put aside included. */
  readonly file: { readonly rows: number; readonly sum: string };
  /** Rows that were read from both sides and compared field by field. */
  readonly sampled: number;
  readonly equal: boolean;
  /** At most ten, the first by their keys; empty where the tables are equal. */
  readonly differences: readonly NamedDifference[];
}

export interface Verification {
  readonly tables: readonly VerifiedTable[];
  readonly equal: boolean;
  /** The checksums alone; the whole comparison. */
  readonly sumMs: number;
  readonly ms: number;
}

export interface VerifyOptions {
  /** In a transaction that sees the state to compare with. */
  readonly source: pg.Client;
  readonly tables: readonly MoveTable[];
  readonly file: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { table: string; rows: number; total: number }) => void;
}

/** Compares all rows. Throws AppError(unavailable) where the source is lost or `signal` ends it; differences are no error. */
export async function verify({ source, tables, file, signal, onProgress }: VerifyOptions): Promise<Verification> {
  const startedMs = performance.now();
  const kind = await chooseHash(source);
  const theirs: TableSum[] = [];
  // Neither waits for the other: the server hashes in its processes, a thread of ours the file.
  const [ours] = await Promise.all([
    sumFile({ file, tables, kind }, signal, ({ target, rows }) => onProgress?.({ table: target, rows, total: rows })),
    (async () => {
      for (const table of tables) {
        signal?.throwIfAborted();
        theirs.push(await sumSource(source, table, kind));
      }
    })(),
  ]);
  const sumMs = performance.now() - startedMs;
  const db = new Database(file, { readonly: true, timeout: 10_000 });
  try {
    const verified: VerifiedTable[] = [];
    for (const [i, table] of tables.entries()) {
      const [own, their] = [ours[i]!, theirs[i]!];
      const sample = await compareSample(source, db, table);
      const areSumsEqual = own.rows === their.rows && own.sum === their.sum;
      const differences = areSumsEqual && sample.wrong.length === 0 ? [] : await nameDifferences(source, db, table, kind, sample.wrong);
      verified.push({ target: table.target, source: { rows: their.rows, sum: their.sum }, file: { rows: own.rows, sum: own.sum }, sampled: sample.size, equal: areSumsEqual && sample.wrong.length === 0, differences });
    }
    return { tables: verified, equal: verified.every(({ equal }) => equal), sumMs, ms: performance.now() - startedMs };
  } finally {
    db.close();
  }
}

const namesOf = (table: MoveTable) => table.columns.map(({ name }) => quoted(name)).join(", ");
const keySql = ({ key, columns }: MoveTable) => canonicalSql(columns.find(({ name }) => name === key[0])!);

/** Rows at random places of the file, each compared with the source's field by field. Tables whose key has several columns are left to the sums. */
async function compareSample(source: pg.Client, db: Database.Database, table: MoveTable): Promise<{ size: number; wrong: NamedDifference[] }> {
  if (table.key.length !== 1) return { size: 0, wrong: [] };
  const { last } = db.prepare(`SELECT max(rowid) AS last FROM ${quoted(table.target)}`).get() as { last: number | null };
  if (last === null) return { size: 0, wrong: [] };
  const find = db.prepare(`SELECT ${namesOf(table)} FROM ${quoted(table.target)} WHERE rowid = ?`).raw();
  const keyAt = table.columns.findIndex(({ name }) => name === table.key[0]);
  const rows = new Map<string, Row>();
  for (let i = 0; i < SAMPLE; i += 1) {
    const row = find.get(1 + Math.floor(Math.random() * last)) as Row | undefined;
    if (row) rows.set(String(row[keyAt]), row);
  }
  const theirs = await fetchTexts(source, table, [...rows.keys()]);
  const wrong: NamedDifference[] = [];
  for (const [key, row] of rows) {
    const found = theirs.get(key);
    const columns = found ? differing(table, row, found) : [];
    if (!found) wrong.push({ key, kind: "extra", columns });
    else if (columns.length > 0) wrong.push({ key, kind: "different", columns });
  }
  return { size: rows.size, wrong };
}

function differing({ columns }: MoveTable, row: Row, texts: readonly (string | null)[]): string[] {
  const own = canonicalTexts(row);
  // A text in a column of dates is wrong even where it reads like the number.
  return columns.filter(({ as }, i) => own[i] !== texts[i] || (as === "date" && typeof row[i] === "string" && /^-?\d+$/.test(row[i]))).map(({ name }) => name);
}

/** The canonical texts of the source's rows with these keys, by key. */
async function fetchTexts(source: pg.Client, table: MoveTable, keys: readonly string[]): Promise<Map<string, (string | null)[]>> {
  const rows = await readRows<Record<string, string | null>>(
    source,
    `SELECT ${table.columns.map((column, i) => `${canonicalSql(column)} AS c${i}`).join(", ")} FROM ${sourceName(table)} WHERE ${keySql(table)} IN (SELECT json_array_elements_text($1::json))`,
    [JSON.stringify(keys)],
  );
  const keyAt = table.columns.findIndex(({ name }) => name === table.key[0]);
  return new Map(rows.map((row) => [row[`c${keyAt}`]!, table.columns.map((_, i) => row[`c${i}`]!)]));
}

async function nameDifferences(source: pg.Client, db: Database.Database, table: MoveTable, kind: Parameters<typeof findDifferences>[0]["kind"], known: readonly NamedDifference[]): Promise<NamedDifference[]> {
  const found: { key: readonly string[]; kind: NamedDifference["kind"] }[] = [];
  for await (const { key, kind: how } of findDifferences({ source, db, table, kind })) {
    // Read to the end: a COPY that is broken off takes its connection with it.
    if (found.length < MAX_NAMED) found.push({ key, kind: how });
  }
  const both = found.filter((one) => one.kind === "different" && one.key.length === 1).map(({ key }) => key[0]!);
  const theirs = both.length > 0 ? await fetchTexts(source, table, both) : new Map<string, (string | null)[]>();
  const find = table.key.length === 1 ? db.prepare(`SELECT ${namesOf(table)} FROM ${quoted(table.target)} WHERE ${quoted(table.key[0]!)} = ?`).raw() : null;
  const aside = db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(ASIDE_TABLE) ? db.prepare(`SELECT "row" FROM ${quoted(ASIDE_TABLE)} WHERE "source" = ? AND "key" = ?`).pluck() : null;
  const named = found.map(({ key, kind: how }): NamedDifference => {
    const texts = theirs.get(key[0]!);
    const kept = aside?.get(table.target, key.join(" ")) as string | undefined;
    const row = (find?.get(key[0]!) as Row | undefined) ?? (kept === undefined ? null : fromAside(table, kept));
    return { key: key.join(" "), kind: how, columns: texts && row ? differing(table, row, texts) : [] };
  });
  return named.length > 0 ? named : [...known.slice(0, MAX_NAMED)];
}
