// A 64-bit hash of a row, computed in Postgres and here: the same number for the same values.

import { createHash } from "node:crypto";
import { canonicalSql } from "./convert.ts";
import type { MoveColumn } from "./move.ts";

/**
 * `hash_bytes_extended` of PostgreSQL (src/common/hashfn.c, after Bob Jenkins' lookup3, public domain) for little-endian machines: what
 * `hashtextextended(text COLLATE "C", seed)` gives. Leaves the result in `high` and `low`, both signed 32-bit numbers.
 * checksums.ts compares it with the server's before it is relied on.
 */
export const hashed = { high: 0, low: 0 };

export function hashBytes(bytes: Buffer, length: number, seedHigh: number, seedLow: number): void {
  let a = (0x9e3779b9 + length + 3_923_095) | 0;
  let b = a;
  let c = a;
  if (seedHigh !== 0 || seedLow !== 0) {
    a = (a + seedHigh) | 0;
    b = (b + seedLow) | 0;
    a = (a - c) ^ ((c << 4) | (c >>> 28)); c = (c + b) | 0;
    b = (b - a) ^ ((a << 6) | (a >>> 26)); a = (a + c) | 0;
    c = (c - b) ^ ((b << 8) | (b >>> 24)); b = (b + a) | 0;
    a = (a - c) ^ ((c << 16) | (c >>> 16)); c = (c + b) | 0;
    b = (b - a) ^ ((a << 19) | (a >>> 13)); a = (a + c) | 0;
    c = (c - b) ^ ((b << 4) | (b >>> 28)); b = (b + a) | 0;
  }
  let at = 0;
  let left = length;
  while (left >= 12) {
    a = (a + (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))) | 0;
    b = (b + (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24))) | 0;
    c = (c + (bytes[at + 8]! | (bytes[at + 9]! << 8) | (bytes[at + 10]! << 16) | (bytes[at + 11]! << 24))) | 0;
    a = (a - c) ^ ((c << 4) | (c >>> 28)); c = (c + b) | 0;
    b = (b - a) ^ ((a << 6) | (a >>> 26)); a = (a + c) | 0;
    c = (c - b) ^ ((b << 8) | (b >>> 24)); b = (b + a) | 0;
    a = (a - c) ^ ((c << 16) | (c >>> 16)); c = (c + b) | 0;
    b = (b - a) ^ ((a << 19) | (a >>> 13)); a = (a + c) | 0;
    c = (c - b) ^ ((b << 4) | (b >>> 28)); b = (b + a) | 0;
    at += 12;
    left -= 12;
  }
  // The lowest byte of c is kept for the length.
  if (left >= 11) c = (c + (bytes[at + 10]! << 24)) | 0;
  if (left >= 10) c = (c + (bytes[at + 9]! << 16)) | 0;
  if (left >= 9) c = (c + (bytes[at + 8]! << 8)) | 0;
  if (left >= 8) b = (b + (bytes[at + 7]! << 24)) | 0;
  if (left >= 7) b = (b + (bytes[at + 6]! << 16)) | 0;
  if (left >= 6) b = (b + (bytes[at + 5]! << 8)) | 0;
  if (left >= 5) b = (b + bytes[at + 4]!) | 0;
  if (left >= 4) a = (a + (bytes[at + 3]! << 24)) | 0;
  if (left >= 3) a = (a + (bytes[at + 2]! << 16)) | 0;
  if (left >= 2) a = (a + (bytes[at + 1]! << 8)) | 0;
  if (left >= 1) a = (a + bytes[at]!) | 0;
  c ^= b; c = (c - ((b << 14) | (b >>> 18))) | 0;
  a ^= c; a = (a - ((c << 11) | (c >>> 21))) | 0;
  b ^= a; b = (b - ((a << 25) | (a >>> 7))) | 0;
  c ^= b; c = (c - ((b << 16) | (b >>> 16))) | 0;
  a ^= c; a = (a - ((c << 4) | (c >>> 28))) | 0;
  b ^= a; b = (b - ((a << 14) | (a >>> 18))) | 0;
  c ^= b; c = (c - ((b << 24) | (b >>> 8))) | 0;
  hashed.high = b;
  hashed.low = c;
}

/** `native` is Postgres's own; `md5` where a server's own turns out to be another one (big-endian machines). */
export type HashKind = "native" | "md5";

/** Factors of the texts' lengths in a row's seed: a character that moves from one column to the next changes it. */
const FACTORS = [1, 31, 1009, 5003, 10_007, 50_021, 100_003, 500_009, 999_983];
const factor = (column: number) => FACTORS[column % FACTORS.length]! + Math.floor(column / FACTORS.length);
/** A function of Postgres takes a hundred arguments. */
const MAX_ARGUMENTS = 90;

/**
 * The SQL, in Postgres, for the hash of a row: of its columns' canonical texts one behind the other, with a seed of the texts' lengths in bytes
 * (-1 for null), so that the same bytes cut elsewhere, or a null in place of an empty text, hash differently.
 */
export function rowHashSql(columns: readonly MoveColumn[], kind: HashKind): string {
  const parts = columns.flatMap((column) => (isShort(column) ? [`COALESCE(${canonicalSql(column)}, 'n')`, `E'\\x1f'`] : [canonicalSql(column)]));
  const chunks: string[] = [];
  for (let at = 0; at < parts.length; at += MAX_ARGUMENTS) chunks.push(`concat(${parts.slice(at, at + MAX_ARGUMENTS).join(", ")})`);
  const whole = chunks.join(" || ");
  const seed = ["1::bigint", ...columns.flatMap((column, i) => (isShort(column) ? [] : [`(COALESCE(octet_length(${canonicalSql(column)}), -1) + 2)::bigint * ${factor(i)}`]))].join(" + ");
  return kind === "native" ? `hashtextextended((${whole}) COLLATE "C", ${seed})` : `('x' || left(md5(${whole} || '|' || (${seed})::text), 16))::bit(64)::bigint`;
}

const isShort = ({ as }: MoveColumn) => as !== "text";

let buffer = Buffer.allocUnsafeSlow(65_536);

function put(text: string, at: number): number {
  // A UTF-16 unit takes at most three bytes.
  if (buffer.length < at + text.length * 3 + 64) {
    const larger = Buffer.allocUnsafeSlow((at + text.length * 3) * 2 + 64);
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  }
  return at + buffer.write(text, at, "utf8");
}

/**
 * The same of a row here. `values` are canonical texts, or whole numbers for dates; anything else that SQLite may hold there (a text in place of a
 * number, a blob) gives another hash than the right value would. Leaves the result in `hashed`.
 */
export function hashRow(columns: readonly MoveColumn[], values: readonly unknown[], kind: HashKind): void {
  let at = 0;
  let seed = 1;
  for (let i = 0; i < columns.length; i += 1) {
    const value = values[i];
    const from = at;
    if (isShort(columns[i]!)) {
      at = put(value === null ? "n" : columns[i]!.as === "date" ? dateText(value) : String(value), at);
      buffer[at] = 0x1f;
      at += 1;
      continue;
    }
    if (value !== null) at = put(typeof value === "string" ? value : `wrong ${typeof value} ${String(value)}`, at);
    seed += ((value === null ? -1 : at - from) + 2) * factor(i);
  }
  if (kind === "native") return hashBytes(buffer, at, Math.floor(seed / 4_294_967_296) | 0, (seed % 4_294_967_296) | 0);
  const digest = createHash("md5").update(buffer.subarray(0, at)).update(`|${seed}`).digest();
  hashed.high = digest.readInt32BE(0);
  hashed.low = digest.readInt32BE(4);
}

/** Only rows that were put aside hold infinite ones. */
function dateText(value: unknown): string {
  return typeof value === "number" || value === "infinity" || value === "-infinity" ? String(value) : `wrong ${typeof value} ${String(value)}`;
}

/** `hashed` as Postgres writes it: a signed 64-bit number in decimals. */
export function hashText(): string {
  return ((BigInt(hashed.high) << 32n) | BigInt(hashed.low >>> 0)).toString();
}
