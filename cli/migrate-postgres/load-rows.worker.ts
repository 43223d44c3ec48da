// Writes the rows of a COPY into SQLite, in a worker thread.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { type Cell, createBinaryCopyReader } from "./binary-copy-reader.ts";
import { findInvalidReason, missingParentReason } from "./convert-values.ts";
import type { MigrationOptions } from "./options.ts";
import { prepareQuarantine } from "./quarantine.ts";
import { columnListSql } from "./source-sql.ts";
import { type Row, type SqliteValue, type TableMapping, formatKey } from "./table-mapping.ts";

export interface LoadOptions {
  readonly file: string;
  readonly options: MigrationOptions;
  /** Reused in turn for the data that COPY sends. */
  readonly buffers: readonly SharedArrayBuffer[];
}

export type LoadRequest =
  | { readonly kind: "table"; readonly table: TableMapping }
  /** The first `length` bytes of a buffer. The reply means that they have been read. */
  | { readonly kind: "chunk"; readonly bufferIndex: number; readonly length: number }
  | { readonly kind: "end" }
  /** Quarantines rows with a broken foreign key. */
  | { readonly kind: "orphans"; readonly tables: readonly TableMapping[] }
  | { readonly kind: "close" };

export type LoadReply =
  | { readonly kind: "progress" | "done"; readonly rows: number }
  | {
      readonly kind: "failed";
      readonly message: string;
      /** True if the message names a table and a key, but no values. */
      readonly isReportable: boolean;
    };

/** Larger batches are no faster. */
const INSERT_BATCH_ROWS = 32;

/** Larger text goes to SQLite as bytes, in a separate statement, to avoid a copy into a string. */
const LARGE_BYTES = 4_096;

class ReportableError extends Error {}

const { file, options, buffers } = workerData as LoadOptions;
const chunks = buffers.map((buffer) => Buffer.from(buffer));
const port = parentPort!;
const db = new Database(file, { timeout: 0 });
// An incomplete file is discarded, so it needs neither journal nor sync. It returns to WAL on
// close.
for (const pragma of [
  "locking_mode = EXCLUSIVE",
  "journal_mode = MEMORY",
  "synchronous = OFF",
  "cache_size = -4000",
  "threads = 2",
  "foreign_keys = OFF",
])
  db.pragma(pragma);
const quarantine = prepareQuarantine(db);

interface TableLoad {
  /** Returns how many rows have been read. */
  push(bytes: Buffer): number;
  /** Returns how many rows have been read, including quarantined ones. */
  finish(): number;
}

function startTableLoad(table: TableMapping): TableLoad {
  const { columns, target } = table;
  const placeholders = `(${columns.map(() => "?").join(", ")})`;
  // FAIL needs no statement journal: any error ends the copy.
  const prepareInsert = (tuples: readonly string[]) =>
    db.prepare(
      `INSERT OR FAIL INTO ${quoteIdentifier(target)} (${columnListSql(table)}) VALUES ${tuples.join(", ")}`,
    );
  const insertOne = prepareInsert([placeholders]);
  const insertMany = prepareInsert(Array<string>(INSERT_BATCH_ROWS).fill(placeholders));
  const insertLarge = prepareInsert([
    `(${columns.map(({ as }) => (as === "date" ? "?" : "CAST(? AS TEXT)")).join(", ")})`,
  ]);
  const width = columns.length;
  const batch: Row = new Array<Row[number]>(width * INSERT_BATCH_ROWS).fill(null);
  let batchRows = 0;
  let rows = 0;
  const addRow = (row: Cell[]) => {
    rows += 1;
    const reason = table.isSide ? null : findInvalidReason(table, row as Row);
    if (reason !== null) {
      quarantineOrThrow(table, row.map(decodeCell), reason);
      return;
    }
    const offset = batchRows * width;
    for (let i = 0; i < width; i += 1) {
      const cell = row[i]!;
      if (cell !== null && typeof cell === "object") {
        insertLarge.run(row);
        return;
      }
      batch[offset + i] = cell;
    }
    batchRows += 1;
    if (batchRows === INSERT_BATCH_ROWS) {
      insertMany.run(batch);
      batchRows = 0;
    }
  };
  const reader = createBinaryCopyReader(table, addRow, { largeBytes: LARGE_BYTES });
  db.exec("BEGIN");
  return {
    push(bytes) {
      reader.push(bytes);
      return rows;
    },
    finish() {
      reader.finish();
      for (let i = 0; i < batchRows; i += 1) insertOne.run(batch.slice(i * width, (i + 1) * width));
      db.exec("COMMIT");
      return rows;
    },
  };
}

const decodeCell = (cell: Cell): SqliteValue =>
  Buffer.isBuffer(cell) ? cell.toString("utf8") : cell;

function quarantineOrThrow(table: TableMapping, row: Row, reason: string): void {
  if (options.invalidRows !== "quarantine")
    throw new ReportableError(
      `${table.source} ${formatKey(table, row)}: ${reason}. --invalid-rows quarantine keeps such rows in a separate table.`,
    );
  quarantine(table, row, reason);
}

/**
 * Quarantines rows with a broken foreign key. Only User is referenced, and it references nothing,
 * so one pass is enough.
 */
function quarantineOrphans(tables: readonly TableMapping[]): void {
  for (const table of tables) {
    if (table.isSide) continue;
    const name = quoteIdentifier(table.target);
    const find = db.prepare(`SELECT ${columnListSql(table)} FROM ${name} WHERE rowid = ?`).raw();
    const remove = db.prepare(`DELETE FROM ${name} WHERE rowid = ?`);
    const orphans = db
      .prepare(`SELECT DISTINCT "rowid" AS id, "parent" FROM pragma_foreign_key_check(?)`)
      .all(table.target) as { id: number; parent: string }[];
    for (const { id, parent } of orphans) {
      quarantineOrThrow(table, find.get(id) as Row, missingParentReason(parent));
      remove.run(id);
    }
  }
}

let currentLoad: TableLoad | null = null;

function handleRequest(request: LoadRequest): LoadReply {
  switch (request.kind) {
    case "table":
      currentLoad = startTableLoad(request.table);
      return { kind: "progress", rows: 0 };
    case "chunk": {
      const bytes = chunks[request.bufferIndex]!.subarray(0, request.length);
      return { kind: "progress", rows: currentLoad!.push(bytes) };
    }
    case "end":
      return { kind: "done", rows: currentLoad!.finish() };
    case "orphans":
      db.exec("BEGIN");
      quarantineOrphans(request.tables);
      db.exec("COMMIT");
      return { kind: "done", rows: 0 };
    case "close":
      db.pragma("locking_mode = NORMAL");
      db.pragma("journal_mode = WAL");
      db.close();
      return { kind: "done", rows: 0 };
  }
}

port.on("message", (request: LoadRequest) => {
  try {
    port.postMessage(handleRequest(request));
  } catch (error) {
    // SQLite's messages name tables and columns, never values.
    const code = String((error as { code?: unknown }).code ?? "");
    port.postMessage({
      kind: "failed",
      isReportable: error instanceof ReportableError || code.startsWith("SQLITE_"),
      message: (error as Error).message,
    } satisfies LoadReply);
  }
});
