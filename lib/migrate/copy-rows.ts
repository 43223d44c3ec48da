// Reads the binary form of Postgres' COPY, row by row, from chunks that end anywhere.

import { dateFromMicros } from "./convert.ts";
import { type MoveTable, type Row, quoted, sourceName } from "./move.ts";

/** PostgreSQL's documentation of COPY, Binary Format: the signature. */
const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");

/** A statement that sends the table's rows in that form, in the order of the target's keys: its index is then filled from one end. */
export function copyStatement({ key, columns, ...table }: MoveTable): string {
  const values = columns.map(({ name, as }) => {
    if (as === "date") return `${quoted(name)}::timestamptz`;
    return as === "session-id" ? `encode(sha256(convert_to(${quoted(name)}::text, 'UTF8')), 'hex')` : `${quoted(name)}::text`;
  });
  const order = key.map((name) => `${values[columns.findIndex((column) => column.name === name)]} COLLATE "C"`);
  return `COPY (SELECT ${values.join(", ")} FROM ${sourceName(table)}${order.length > 0 ? ` ORDER BY ${order.join(", ")}` : ""}) TO STDOUT (FORMAT binary)`;
}

/**
 * Takes chunks of what `copyStatement` sends and gives rows to `onRow`, which must not keep them: the array is used again. Dates come as
 * milliseconds, infinite ones as their texts. Holds no more than one chunk and one row. Throws where the form is not the one that was asked for.
 */
export function createRowReader({ columns }: MoveTable, onRow: (row: Row) => void): { take(chunk: Buffer): void; end(): void } {
  const row: Row = columns.map(() => null);
  const isDate = columns.map(({ as }) => as === "date");
  let rest: Buffer[] = [];
  let restBytes = 0;
  /** Below so many bytes a row can't be whole. */
  let wanted = SIGNATURE.length + 8;
  let hasBegun = false;
  let hasEnded = false;

  /** Returns where the next row begins, or -1 where this one goes beyond `bytes`; `wanted` then says how many it needs at least. */
  function readRow(bytes: Buffer, from: number): number {
    let at = from;
    if (bytes.length < at + 2) return short(2);
    const count = bytes.readInt16BE(at);
    at += 2;
    if (count === -1) {
      hasEnded = true;
      return at;
    }
    if (count !== columns.length) throw new Error("a row with another number of columns");
    for (let i = 0; i < count; i += 1) {
      if (bytes.length < at + 4) return short(at + 4 - from);
      const length = bytes.readInt32BE(at);
      at += 4;
      if (length < 0) {
        row[i] = null;
        continue;
      }
      if (bytes.length < at + length) return short(at + length - from);
      row[i] = isDate[i] ? dateFromMicros(bytes.readInt32BE(at), bytes.readUInt32BE(at + 4)) : bytes.toString("utf8", at, at + length);
      at += length;
    }
    onRow(row);
    return at;
  }
  function short(bytes: number): -1 {
    wanted = bytes;
    return -1;
  }

  return {
    take(chunk) {
      rest.push(chunk);
      restBytes += chunk.length;
      if (restBytes < wanted) return;
      const bytes = rest.length === 1 ? rest[0]! : Buffer.concat(rest);
      let at = 0;
      if (!hasBegun) {
        if (SIGNATURE.compare(bytes, 0, SIGNATURE.length) !== 0) throw new Error("no binary COPY");
        at = SIGNATURE.length + 8 + bytes.readInt32BE(SIGNATURE.length + 4);
        hasBegun = true;
      }
      wanted = 2;
      while (!hasEnded) {
        const next = readRow(bytes, at);
        if (next < 0) break;
        at = next;
        wanted = 2;
      }
      rest = at < bytes.length ? [bytes.subarray(at)] : [];
      restBytes = bytes.length - at;
    },
    end() {
      if (!hasEnded || restBytes > 0) throw new Error("COPY ended within a row");
    },
  };
}
