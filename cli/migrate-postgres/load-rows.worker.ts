// The SQLite side of a copy, in a thread of its own: it takes what COPY sends, converts it, and writes it.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { toCanonicalTexts, findInvalidReason, formatKey } from "./convert-values.ts";
import { type Cell, createBinaryCopyReader } from "./binary-copy-reader.ts";
import {
  QUARANTINE_TABLE,
  type MigrationOptions,
  type TableMapping,
  type Row,
  type SqliteValue,
  quoteIdentifier,
} from "./table-mapping.ts";

export interface LoadOptions {
  readonly file: string;
  readonly choices: MigrationOptions;
  /** What COPY sends comes in these, each of them again and again. */
  readonly slots: readonly SharedArrayBuffer[];
}

export type LoadRequest =
  | { readonly kind: "table"; readonly table: TableMapping }
  /** The first `length` bytes of a slot; they are read when this is answered. */
  | { readonly kind: "chunk"; readonly slot: number; readonly length: number }
  | { readonly kind: "end" }
  /** What points at nothing. */
  | { readonly kind: "orphans"; readonly tables: readonly TableMapping[] }
  | { readonly kind: "close" };

export type LoadReply =
  | { readonly kind: "took"; readonly rows: number }
  | { readonly kind: "done"; readonly rows: number; readonly aside: number }
  | {
      readonly kind: "failed";
      readonly message: string;
      /** Whether it may be shown: it names a table and a key. */ readonly isTelling: boolean;
    };

/** Rows of one INSERT: fewer cost calls, more gain nothing (platform.md). */
const INSERT_BATCH_ROWS = 32;

/** A text of more bytes is handed to SQLite as they are, and its row goes by itself: nothing of it is held but what SQLite takes. */
const LARGE_BYTES = 4_096;

class ReportableError extends Error {}

const { file, choices, slots } = workerData as LoadOptions;
const chunks = slots.map((slot) => Buffer.from(slot));
const port = parentPort!;
const db = new Database(file, { timeout: 0 });
// A new file that is worth nothing until it is whole: no journal, no sync before the end. It goes back to WAL when it is closed.
for (const pragma of [
  "locking_mode = EXCLUSIVE",
  "journal_mode = MEMORY",
  "synchronous = OFF",
  "cache_size = -4000",
  "threads = 2",
  "foreign_keys = OFF",
])
  db.pragma(pragma);
const insertQuarantined = db.prepare(
  `INSERT INTO ${quoteIdentifier(QUARANTINE_TABLE)} ("source", "key", "why", "row") VALUES (?, ?, ?, ?)`,
);

interface TableLoad {
  push(bytes: Buffer): number;
  finish(): { rows: number; aside: number };
}

function startTableLoad(table: TableMapping): TableLoad {
  const { columns, target } = table;
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(", ");
  const places = `(${columns.map(() => "?").join(", ")})`;
  // A failure ends the copy: nothing needs to be kept for taking back half a statement.
  const insert = (rows: readonly string[]) =>
    db.prepare(
      `INSERT OR FAIL INTO ${quoteIdentifier(target)} (${names}) VALUES ${rows.join(", ")}`,
    );
  const insertOne = insert([places]);
  const insertMany = insert(Array<string>(INSERT_BATCH_ROWS).fill(places));
  const insertLarge = insert([
    `(${columns.map(({ as }) => (as === "date" ? "?" : "CAST(? AS TEXT)")).join(", ")})`,
  ]);
  const width = columns.length;
  const values: Row = new Array<Row[number]>(width * INSERT_BATCH_ROWS).fill(null);
  let filled = 0;
  let rows = 0;
  let aside = 0;
  const take = (row: Cell[]) => {
    rows += 1;
    const why = table.isSide ? null : findInvalidReason(table, row as Row);
    if (why !== null) {
      quarantineOrThrow(table, row.map(decodeCell), why);
      aside += 1;
      return;
    }
    const at = filled * width;
    for (let i = 0; i < width; i += 1) {
      const cell = row[i]!;
      if (cell !== null && typeof cell === "object") {
        insertLarge.run(row);
        return;
      }
      values[at + i] = cell;
    }
    filled += 1;
    if (filled === INSERT_BATCH_ROWS) {
      insertMany.run(values);
      filled = 0;
    }
  };
  const reader = createBinaryCopyReader(table, take, { largeBytes: LARGE_BYTES });
  db.exec("BEGIN");
  return {
    push(bytes) {
      reader.push(bytes);
      return rows;
    },
    finish() {
      reader.finish();
      for (let i = 0; i < filled; i += 1) insertOne.run(values.slice(i * width, (i + 1) * width));
      db.exec("COMMIT");
      return { rows, aside };
    },
  };
}

const decodeCell = (cell: Cell): SqliteValue =>
  Buffer.isBuffer(cell) ? cell.toString("utf8") : cell;

function quarantineOrThrow(table: TableMapping, row: Row, why: string): void {
  const key = formatKey(table, row);
  if (choices.unfit !== "aside")
    throw new ReportableError(
      `${table.source} ${key}: ${why}. --unfit aside keeps such rows in a table of their own.`,
    );
  insertQuarantined.run(table.target, key, why, JSON.stringify(toCanonicalTexts(row)));
}

/** Puts every row aside that points at a row that is not there, until none is left. Returns how many. */
function quarantineOrphans(tables: readonly TableMapping[]): number {
  let count = 0;
  for (const table of tables) {
    if (table.isSide) continue;
    const find = db
      .prepare(
        `SELECT ${table.columns.map(({ name }) => quoteIdentifier(name)).join(", ")} FROM ${quoteIdentifier(table.target)} WHERE rowid = ?`,
      )
      .raw();
    const remove = db.prepare(`DELETE FROM ${quoteIdentifier(table.target)} WHERE rowid = ?`);
    // Only users are pointed at, and they point at nobody: once through is enough.
    const found = db
      .prepare(`SELECT DISTINCT "rowid" AS id, "parent" FROM pragma_foreign_key_check(?)`)
      .all(table.target) as { id: number; parent: string }[];
    for (const { id, parent } of found) {
      quarantineOrThrow(table, find.get(id) as Row, `its ${parent} is not there`);
      remove.run(id);
      count += 1;
    }
  }
  return count;
}

let currentLoad: TableLoad | null = null;

function handleRequest(request: LoadRequest): LoadReply {
  switch (request.kind) {
    case "table":
      currentLoad = startTableLoad(request.table);
      return { kind: "took", rows: 0 };
    case "chunk":
      return {
        kind: "took",
        rows: currentLoad!.push(chunks[request.slot]!.subarray(0, request.length)),
      };
    case "end":
      return { kind: "done", ...currentLoad!.finish() };
    case "orphans": {
      db.exec("BEGIN");
      const aside = quarantineOrphans(request.tables);
      db.exec("COMMIT");
      return { kind: "done", rows: 0, aside };
    }
    case "close":
      db.pragma("locking_mode = NORMAL");
      db.pragma("journal_mode = WAL");
      db.close();
      return { kind: "done", rows: 0, aside: 0 };
  }
}

port.on("message", (request: LoadRequest) => {
  try {
    port.postMessage(handleRequest(request));
  } catch (error) {
    // What SQLite says names tables and columns, never values.
    const code = String((error as { code?: unknown }).code ?? "");
    port.postMessage({
      kind: "failed",
      isTelling: error instanceof ReportableError || code.startsWith("SQLITE_"),
      message: (error as Error).message,
    } satisfies LoadReply);
  }
});
