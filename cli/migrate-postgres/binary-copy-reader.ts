// Parses PostgreSQL's binary COPY format row by row, from chunks with arbitrary boundaries.

import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { parseMicros } from "./convert-values.ts";
import { qualifiedSourceName, sessionHashSql } from "./source-sql.ts";
import { type Row, type SqliteValue, type TableMapping, extractKey } from "./table-mapping.ts";

/** The signature from PostgreSQL's documentation of COPY, "Binary Format". */
const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");

/**
 * Returns a COPY statement that sorts rows by the target's key, so that SQLite appends to its
 * index.
 */
export function copyToSql(table: TableMapping): string {
  const values = table.columns.map(({ name, as }) => {
    if (as === "date") return `${quoteIdentifier(name)}::timestamptz`;
    return as === "session-id" ? sessionHashSql(name) : `${quoteIdentifier(name)}::text`;
  });
  const order = extractKey(table, values).map((value) => `${value} COLLATE "C"`);
  return `COPY (SELECT ${values.join(", ")} FROM ${qualifiedSourceName(table)}${order.length > 0 ? ` ORDER BY ${order.join(", ")}` : ""}) TO STDOUT (FORMAT binary)`;
}

/** A large text is a Buffer of its UTF-8 bytes. */
export type Cell = SqliteValue | Buffer;

export interface BinaryCopyReader {
  push(chunk: Buffer): void;
  /** Throws an Error if the data is incomplete. */
  finish(): void;
}

/** A larger carry buffer is not reused for the next row. */
const MAX_CARRY_BYTES = 1_048_576;

/**
 * Parses the output of copyToSql and calls `onRow` with a reused array. Dates are milliseconds, or
 * text if infinite. Text above `largeBytes` is a view that is valid until `onRow` returns. Buffers
 * at most one row. Throws an Error for any other format.
 */
export function createBinaryCopyReader(
  table: TableMapping,
  onRow: (row: Row) => void,
): BinaryCopyReader;
export function createBinaryCopyReader(
  table: TableMapping,
  onRow: (row: Cell[]) => void,
  options: { largeBytes: number },
): BinaryCopyReader;
export function createBinaryCopyReader(
  { columns }: TableMapping,
  onRow: (row: never) => void,
  { largeBytes = Infinity } = {},
): BinaryCopyReader {
  const emitRow = onRow as (row: Cell[]) => void;
  const row: Cell[] = columns.map(() => null);
  const isDate = columns.map(({ as }) => as === "date");
  const width = columns.length;
  /** The start of a row that ends in a later chunk. */
  let carry = Buffer.allocUnsafeSlow(65_536);
  let carried = 0;
  /** The row needs at least this many bytes. */
  let wanted = SIGNATURE.length + 8;
  let hasBegun = false;
  let hasEnded = false;

  /**
   * Returns the offset of the next row, or -1 if this one is incomplete; then `wanted` is its
   * minimum length.
   */
  function readRow(bytes: Buffer, from: number, end: number): number {
    let at = from;
    if (end < at + 2) return short(2);
    const count = (bytes[at]! << 8) | bytes[at + 1]!;
    at += 2;
    if (count === 0xffff) {
      hasEnded = true;
      return at;
    }
    if (count !== width) throw new Error("unexpected number of columns");
    for (let i = 0; i < width; i += 1) {
      if (end < at + 4) return short(at + 4 - from);
      const length =
        (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
      at += 4;
      if (length < 0) {
        row[i] = null;
        continue;
      }
      if (end < at + length) return short(at + length - from);
      row[i] = isDate[i]
        ? parseMicros(bytes.readInt32BE(at), bytes.readUInt32BE(at + 4))
        : length > largeBytes
          ? bytes.subarray(at, at + length)
          : bytes.toString("utf8", at, at + length);
      at += length;
    }
    emitRow(row);
    return at;
  }
  function readHead(bytes: Buffer, from: number, end: number): number {
    if (SIGNATURE.compare(bytes, from, from + SIGNATURE.length) !== 0)
      throw new Error("not the binary COPY format");
    const size = SIGNATURE.length + 8 + bytes.readInt32BE(from + SIGNATURE.length + 4);
    if (end < from + size) return short(size);
    hasBegun = true;
    return from + size;
  }
  function short(bytes: number): -1 {
    wanted = bytes;
    return -1;
  }
  function readNext(bytes: Buffer, from: number, end: number): number {
    if (end - from < wanted) return -1;
    const next = hasBegun ? readRow(bytes, from, end) : readHead(bytes, from, end);
    if (next >= 0) wanted = 2;
    return next;
  }
  /** Saves bytes for the next chunk. */
  function carryBytes(bytes: Buffer, from: number, to: number): void {
    if (carry.length < carried + to - from) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(wanted, carried + to - from, Math.min(2 * carry.length, MAX_CARRY_BYTES)),
      );
      carry.copy(larger, 0, 0, carried);
      carry = larger;
    }
    bytes.copy(carry, carried, from, to);
    carried += to - from;
  }

  return {
    push(chunk) {
      let at = 0;
      // Only a row that spans chunks is copied; all others are parsed in place.
      while (!hasEnded && carried > 0 && at < chunk.length) {
        const to = Math.min(chunk.length, at + Math.max(1, wanted - carried));
        carryBytes(chunk, at, to);
        at = to;
        if (readNext(carry, 0, carried) < 0) continue;
        carried = 0;
        if (carry.length > MAX_CARRY_BYTES) carry = Buffer.allocUnsafeSlow(65_536);
      }
      while (!hasEnded && at < chunk.length) {
        const next = readNext(chunk, at, chunk.length);
        if (next < 0) break;
        at = next;
      }
      if (at < chunk.length) carryBytes(chunk, at, chunk.length);
    },
    finish() {
      if (!hasEnded || carried > 0) throw new Error("COPY ended within a row");
    },
  };
}
