// Which rows differ: both sides are read in the order of their keys, side by side.

import type Database from "better-sqlite3";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { AppError } from "#lib/core/errors.ts";
import { createAbortedError } from "./table-checksums.ts";
import { canonicalSql, formatKey } from "./convert-values.ts";
import { createBinaryCopyReader } from "./binary-copy-reader.ts";
import {
  QUARANTINE_TABLE,
  type ColumnMapping,
  type TableMapping,
  type Row,
  quoteIdentifier,
  qualifiedSourceName,
} from "./table-mapping.ts";
import { type HashKind, hashRow, formatLastHash, rowHashSql } from "./row-hash.ts";
import { toSourceError, closeSource } from "./source-connection.ts";

export interface RowDifference {
  /** As the target has it. */
  readonly key: readonly string[];
  /** As the source has it, where it has the row; for asking it, never for telling (a session's is its secret). */
  readonly sourceKey: readonly string[] | null;
  /** `missing` in the target, `extra` there, or `different`. */
  readonly kind: "missing" | "extra" | "different";
}

interface HashedRow {
  readonly key: readonly string[];
  readonly hash: string;
}

interface HashedSourceRow extends HashedRow {
  readonly sourceKey: readonly string[];
}

/** A source that sends nothing for so long is gone; sorting five million rows takes some ten seconds. */
const SILENCE_TIMEOUT_MS = 600_000;

const textColumn = (name: string): ColumnMapping => ({ name, as: "text", isNullable: true });

/** Keys and hashes of the source's rows in the order of the target's keys (their UTF-8's bytes), some thousands at a time. */
async function* readSourceHashes(
  source: pg.Client,
  { key, columns, ...table }: TableMapping,
  kind: HashKind,
  signal?: AbortSignal,
): AsyncGenerator<HashedSourceRow[]> {
  if (signal?.aborted) throw createAbortedError();
  const keys = key.map((name) => canonicalSql(columns.find((column) => column.name === name)!));
  const raw = key.map((name) => `${quoteIdentifier(name)}::text`);
  // Sent once where both are the same.
  const isRaw = raw.every((text, i) => text === keys[i]);
  // A server that does not speak UTF-8 orders texts by its own bytes.
  const order = keys.map((text) =>
    kind === "md5" ? `convert_to(${text}, 'UTF8')` : `(${text}) COLLATE "C"`,
  );
  const values = [...keys, ...(isRaw ? [] : raw), `(${rowHashSql(columns, kind)})::text`];
  const stream = source.query(
    copyTo(
      `COPY (SELECT ${values.join(", ")} FROM ${qualifiedSourceName(table)} ORDER BY ${order.join(", ")}) TO STDOUT (FORMAT binary)`,
    ),
  );
  let rows: HashedSourceRow[] = [];
  const reader = createBinaryCopyReader(
    { ...table, key, columns: values.map((_, i) => textColumn(String(i))) },
    (row) => {
      const own = row.slice(0, key.length) as string[];
      rows.push({
        key: own,
        sourceKey: isRaw ? own : (row.slice(key.length, 2 * key.length) as string[]),
        hash: row[values.length - 1] as string,
      });
    },
  );
  const stop = (error: Error) => stream.destroy(error);
  // A connection that breaks is not always told to the stream of a COPY.
  const onEnd = () => stop(new AppError("unavailable", "The connection to PostgreSQL broke."));
  const onAbort = () => stop(createAbortedError());
  source.once("end", onEnd);
  signal?.addEventListener("abort", onAbort);
  let timer: NodeJS.Timeout | undefined;
  const awaitMore = () => {
    timer = setTimeout(
      () =>
        stop(
          new AppError(
            "unavailable",
            `PostgreSQL has sent nothing for ${SILENCE_TIMEOUT_MS / 1000} seconds.`,
          ),
        ),
      SILENCE_TIMEOUT_MS,
    );
  };
  try {
    awaitMore();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      reader.push(chunk);
      if (rows.length > 0) yield rows;
      rows = [];
      awaitMore();
    }
    reader.finish();
  } catch (error) {
    // What was asked would hold the connection.
    if (stream.destroyed) void closeSource(source);
    throw toSourceError(error);
  } finally {
    clearTimeout(timer);
    source.off("end", onEnd);
    signal?.removeEventListener("abort", onAbort);
  }
}

function* readTargetHashes(
  db: Database.Database,
  { target, key, columns }: TableMapping,
  kind: HashKind,
): Generator<HashedRow> {
  const at = key.map((name) => columns.findIndex((column) => column.name === name));
  const all = db
    .prepare(
      `SELECT ${columns.map(({ name }) => quoteIdentifier(name)).join(", ")} FROM ${quoteIdentifier(target)} ORDER BY ${key.map(quoteIdentifier).join(", ")}`,
    )
    .raw();
  for (const row of all.iterate() as IterableIterator<unknown[]>) {
    hashRow(columns, row, kind);
    yield { key: at.map((i) => String(row[i])), hash: formatLastHash() };
  }
}

/** Whether what is kept of a row is one: a changed file may hold anything there. */
const isCompleteRowSql = ({ columns }: TableMapping) =>
  `CASE WHEN json_valid("row") THEN json_array_length("row") = ${columns.length} ELSE 0 END`;

const hasQuarantineTable = (db: Database.Database) =>
  db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(QUARANTINE_TABLE) !== undefined;

/** Keys and hashes of the table's rows that were put aside. */
function* readQuarantinedHashes(
  db: Database.Database,
  table: TableMapping,
  kind: HashKind,
): Generator<HashedRow> {
  if (!hasQuarantineTable(db)) return;
  const at = table.key.map((name) => table.columns.findIndex((column) => column.name === name));
  const all = db
    .prepare(
      `SELECT "row" FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" = ? AND ${isCompleteRowSql(table)} ORDER BY ${at.map((i) => `"row" ->> '$[${i}]'`).join(", ")}`,
    )
    .pluck();
  for (const text of all.iterate(table.target) as IterableIterator<string>) {
    const texts = JSON.parse(text) as unknown[];
    hashRow(table.columns, texts, kind, true);
    yield { key: at.map((i) => String(texts[i])), hash: formatLastHash() };
  }
}

/** The keys under which something is kept aside that is no row, or another one. */
function* readMalformedKeys(db: Database.Database, table: TableMapping): Generator<string> {
  if (!hasQuarantineTable(db)) return;
  const all = db
    .prepare(
      `SELECT "key", "row", ${isCompleteRowSql(table)} FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" = ? ORDER BY "key"`,
    )
    .raw();
  for (const [key, text, isRow] of all.iterate(table.target) as IterableIterator<
    [string, string, number]
  >) {
    if (!isRow || formatKey(table, JSON.parse(text) as Row) !== key) yield key;
  }
}

/** UTF-8's order, which is both databases': UTF-16 has another one beyond U+FFFF. */
function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i += 1) {
    if (a[i] !== b[i]) return Buffer.compare(Buffer.from(a[i]!), Buffer.from(b[i]!));
  }
  return 0;
}

/** Where a side of the comparison stands. */
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
  /** Sees one state, and can do nothing else meanwhile; who stops before the end must give it up. */
  readonly source: pg.Client;
  /** Is not written to meanwhile, on this connection (better-sqlite3 refuses that while it reads). */
  readonly db: Database.Database;
  readonly table: TableMapping;
  /** Of chooseHash. */
  readonly kind: HashKind;
  readonly signal?: AbortSignal;
}

/**
 * The rows of `table` that are not the same on both sides, in the order of their keys. A row that was put aside is in the target; one that is there
 * twice, in its table and aside, is `different`. What is kept aside and is no row, or not the key's, comes first, as `extra`, with that key as one
 * text. A table without a key has no differences to name. Holds some thousand rows, whatever the tables' sizes. Throws AppError(unavailable) where
 * the source is lost or `signal` ends it.
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
  const [ours, theirs] = [
    readTargetHashes(db, table, kind),
    readQuarantinedHashes(db, table, kind),
  ];
  try {
    const [own, aside] = [openCursor(ours), openCursor(theirs)];
    for await (const rows of readSourceHashes(source, table, kind, signal)) {
      for (const row of rows) {
        // Nearly every row.
        if (!aside.row && own.row?.hash === row.hash && compareKeys(own.row.key, row.key) === 0) {
          own.next();
          continue;
        }
        yield* yieldExtras([own, aside], row.key);
        const found = [own, aside].filter(
          (side) => side.row !== null && compareKeys(side.row.key, row.key) === 0,
        );
        if (found.length !== 1)
          yield {
            key: row.key,
            sourceKey: row.sourceKey,
            kind: found.length === 0 ? "missing" : "different",
          };
        else if (found[0]!.row!.hash !== row.hash)
          yield { key: row.key, sourceKey: row.sourceKey, kind: "different" };
        for (const side of found) side.next();
      }
    }
    yield* yieldExtras([own, aside], null);
  } finally {
    ours.return(undefined);
    theirs.return(undefined);
  }
}

/** Those before `key` (null: all that are left), which the source does not have. */
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
