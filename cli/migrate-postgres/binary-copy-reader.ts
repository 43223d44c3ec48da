// Reads the binary form of Postgres' COPY, row by row, from chunks that end anywhere.

import { parseMicros } from "./convert-values.ts";
import {
  type TableMapping,
  type Row,
  type SqliteValue,
  quoteIdentifier,
  qualifiedSourceName,
} from "./table-mapping.ts";

/** PostgreSQL's documentation of COPY, Binary Format: the signature. */
const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");

/** A statement that sends the table's rows in that form, in the order of the target's keys: its index is then filled from one end. */
export function copyToSql({ key, columns, ...table }: TableMapping): string {
  const values = columns.map(({ name, as }) => {
    if (as === "date") return `${quoteIdentifier(name)}::timestamptz`;
    return as === "session-id"
      ? `encode(sha256(convert_to(${quoteIdentifier(name)}::text, 'UTF8')), 'hex')`
      : `${quoteIdentifier(name)}::text`;
  });
  const order = key.map(
    (name) => `${values[columns.findIndex((column) => column.name === name)]} COLLATE "C"`,
  );
  return `COPY (SELECT ${values.join(", ")} FROM ${qualifiedSourceName(table)}${order.length > 0 ? ` ORDER BY ${order.join(", ")}` : ""}) TO STDOUT (FORMAT binary)`;
}

/** What a row being read holds: a text of many bytes as these, without being decoded. */
export type Cell = SqliteValue | Buffer;

export interface BinaryCopyReader {
  push(chunk: Buffer): void;
  /** Throws where something is missing. */
  finish(): void;
}

/** Above so many bytes what a row took, where it lay across chunks, is not kept for the next. */
const MAX_CARRY_BYTES = 1_048_576;

/**
 * Takes chunks of what `copyStatement` sends and gives rows to `onRow`, which must not keep them: the array is used again. Dates come as
 * milliseconds, infinite ones as their texts; texts of more than `largeBytes` as a view of their UTF-8, which is that text until `onRow` returns.
 * Holds no more than one row, and no chunk. Throws where the form is not the one that was asked for.
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
  const give = onRow as (row: Cell[]) => void;
  const row: Cell[] = columns.map(() => null);
  const isDate = columns.map(({ as }) => as === "date");
  const width = columns.length;
  /** The beginning of a row whose end is in the next chunk. */
  let carry = Buffer.allocUnsafeSlow(65_536);
  let carried = 0;
  /** Below so many bytes the row can't be whole. */
  let wanted = SIGNATURE.length + 8;
  let hasBegun = false;
  let hasEnded = false;

  /** Returns where the next row begins, or -1 where this one goes beyond `end`; `wanted` then says how many it needs at least. */
  function readRow(bytes: Buffer, from: number, end: number): number {
    let at = from;
    if (end < at + 2) return short(2);
    const count = (bytes[at]! << 8) | bytes[at + 1]!;
    at += 2;
    if (count === 0xffff) {
      hasEnded = true;
      return at;
    }
    if (count !== width) throw new Error("a row with another number of columns");
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
    give(row);
    return at;
  }
  function readHead(bytes: Buffer, from: number, end: number): number {
    if (SIGNATURE.compare(bytes, from, from + SIGNATURE.length) !== 0)
      throw new Error("no binary COPY");
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
  /** Keeps the bytes for the next chunk. */
  function keep(bytes: Buffer, from: number, to: number): void {
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
      // The row that lies across is put together with no more than it needs; the others are read where they are.
      while (!hasEnded && carried > 0 && at < chunk.length) {
        const to = Math.min(chunk.length, at + Math.max(1, wanted - carried));
        keep(chunk, at, to);
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
      if (at < chunk.length) keep(chunk, at, chunk.length);
    },
    finish() {
      if (!hasEnded || carried > 0) throw new Error("COPY ended within a row");
    },
  };
}
