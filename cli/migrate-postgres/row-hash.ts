// Computes a row's 64-bit hash, in JavaScript and in SQL for PostgreSQL, with the same result.

import { createHash } from "node:crypto";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { canonicalSql } from "./source-sql.ts";
import type { ColumnMapping } from "./table-mapping.ts";

/**
 * `native`: PostgreSQL's hash, chained over the columns. `md5`: for big-endian servers, whose hash
 * differs, and for encodings other than UTF-8.
 */
export type HashKind = "native" | "md5";

/**
 * The last result as two signed 32-bit numbers. One object is reused, since this runs for every
 * row.
 */
export const lastHash = { high: 0, low: 0 };

/** Formats lastHash as PostgreSQL does: a signed 64-bit decimal number. */
export function formatLastHash(): string {
  return ((BigInt(lastHash.high) << 32n) | BigInt(lastHash.low >>> 0)).toString();
}

let scratchBytes = new Uint8Array(65_536);
/** The same memory as 32-bit words. */
let scratchWords = new Int32Array(scratchBytes.buffer);
const encoder = new TextEncoder();

/** Writes the text's UTF-8 to scratchBytes and returns its length. */
function encodeText(text: string): number {
  // A UTF-16 code unit takes at most three bytes. Long text is measured first, to allocate no more
  // than needed.
  if (scratchBytes.length < text.length * 3 && scratchBytes.length < Buffer.byteLength(text)) {
    scratchBytes = new Uint8Array(Math.ceil((Buffer.byteLength(text) * 5) / 16) * 4);
    scratchWords = new Int32Array(scratchBytes.buffer);
  }
  return encoder.encodeInto(text, scratchBytes).written;
}

/**
 * Writes an integer's decimal digits. The runtime's own conversion would take a third of a row's
 * time.
 */
function encodeInteger(value: number): number {
  // Thirteen digits: dates in the years 2001 to 2286.
  if (!(value >= 1e12 && value < 1e13 && Number.isInteger(value))) return encodeText(String(value));
  let upper = Math.floor(value / 1e6);
  let lower = value - upper * 1e6;
  for (let at = 12; at > 6; at -= 1) {
    const rest = (lower / 10) | 0;
    scratchBytes[at] = 48 + lower - rest * 10;
    lower = rest;
  }
  for (let at = 6; at >= 0; at -= 1) {
    const rest = (upper / 10) | 0;
    scratchBytes[at] = 48 + upper - rest * 10;
    upper = rest;
  }
  return 13;
}

/** Computes `hashtextextended(text COLLATE "C", seed)` into lastHash. */
export function hashSeededText(text: string, seed: bigint): void {
  lastHash.high = Number(BigInt.asIntN(32, seed >> 32n));
  lastHash.low = Number(BigInt.asIntN(32, seed));
  hashBytes(encodeText(text));
}

/**
 * Hashes the first `length` scratchBytes with lastHash as the seed: PostgreSQL's
 * `hash_bytes_extended` (src/common/hashfn.c, after Bob Jenkins' lookup3, public domain) on
 * little-endian machines. Before use, chooseHashKind (table-checksums.ts) checks it against the
 * server's.
 */
function hashBytes(length: number): void {
  let a = (0x9e3779b9 + length + 3_923_095) | 0;
  let b = a;
  let c = a;
  if (lastHash.high !== 0 || lastHash.low !== 0) {
    a = (a + lastHash.high) | 0;
    b = (b + lastHash.low) | 0;
    a = (a - c) ^ ((c << 4) | (c >>> 28));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 6) | (a >>> 26));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 8) | (b >>> 24));
    b = (b + a) | 0;
    a = (a - c) ^ ((c << 16) | (c >>> 16));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 19) | (a >>> 13));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 4) | (b >>> 28));
    b = (b + a) | 0;
  }
  let word = 0;
  let left = length;
  while (left >= 12) {
    a = (a + scratchWords[word]!) | 0;
    b = (b + scratchWords[word + 1]!) | 0;
    c = (c + scratchWords[word + 2]!) | 0;
    a = (a - c) ^ ((c << 4) | (c >>> 28));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 6) | (a >>> 26));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 8) | (b >>> 24));
    b = (b + a) | 0;
    a = (a - c) ^ ((c << 16) | (c >>> 16));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 19) | (a >>> 13));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 4) | (b >>> 28));
    b = (b + a) | 0;
    word += 3;
    left -= 12;
  }
  const at = word * 4;
  // The lowest byte of `c` is reserved for the length.
  if (left >= 11) c = (c + (scratchBytes[at + 10]! << 24)) | 0;
  if (left >= 10) c = (c + (scratchBytes[at + 9]! << 16)) | 0;
  if (left >= 9) c = (c + (scratchBytes[at + 8]! << 8)) | 0;
  if (left >= 8) b = (b + (scratchBytes[at + 7]! << 24)) | 0;
  if (left >= 7) b = (b + (scratchBytes[at + 6]! << 16)) | 0;
  if (left >= 6) b = (b + (scratchBytes[at + 5]! << 8)) | 0;
  if (left >= 5) b = (b + scratchBytes[at + 4]!) | 0;
  if (left >= 4) a = (a + (scratchBytes[at + 3]! << 24)) | 0;
  if (left >= 3) a = (a + (scratchBytes[at + 2]! << 16)) | 0;
  if (left >= 2) a = (a + (scratchBytes[at + 1]! << 8)) | 0;
  if (left >= 1) a = (a + scratchBytes[at]!) | 0;
  c ^= b;
  c = (c - ((b << 14) | (b >>> 18))) | 0;
  a ^= c;
  a = (a - ((c << 11) | (c >>> 21))) | 0;
  b ^= a;
  b = (b - ((a << 25) | (a >>> 7))) | 0;
  c ^= b;
  c = (c - ((b << 16) | (b >>> 16))) | 0;
  a ^= c;
  a = (a - ((c << 4) | (c >>> 28))) | 0;
  b ^= a;
  b = (b - ((a << 14) | (a >>> 18))) | 0;
  c ^= b;
  c = (c - ((b << 24) | (b >>> 8))) | 0;
  lastHash.high = b;
  lastHash.low = c;
}

/** Columns per null mask, which must fit into a 64-bit seed. */
const COLUMNS_PER_MASK = 60;

/**
 * Returns PostgreSQL's SQL for a row's hash. Each column's hash seeds the next one, and the first
 * seed is a mask of the null columns, so that shifted characters and nulls change the hash.
 */
export function rowHashSql(columns: readonly ColumnMapping[], kind: HashKind): string {
  if (kind === "md5") {
    const parts = columns.map(
      (column) =>
        `COALESCE(octet_length(${utf8Sql(canonicalSql(column))})::text || ':' || ${canonicalSql(column)}, '-')`,
    );
    return `('x' || left(md5(${utf8Sql(parts.join(" || "))}), 16))::bit(64)::bigint`;
  }
  return columns.reduce((before, column, i) => {
    const seed =
      i % COLUMNS_PER_MASK === 0
        ? `(${before}) # (${nullMaskSql(columns.slice(i, i + COLUMNS_PER_MASK))})`
        : before;
    return `hashtextextended(COALESCE(${canonicalSql(column)}, '') COLLATE "C", ${seed})`;
  }, "0::bigint");
}

const utf8Sql = (text: string) => `convert_to(${text}, 'UTF8')`;

function nullMaskSql(columns: readonly ColumnMapping[]): string {
  // Not IS NULL, which is also true for a composite value whose fields are all null.
  return columns
    .map(
      ({ name }, i) =>
        `CASE WHEN ${quoteIdentifier(name)} IS NOT DISTINCT FROM NULL THEN ${1n << BigInt(i)}::bigint ELSE 0 END`,
    )
    .join(" | ");
}

/**
 * Hashes a row of SQLite values into lastHash or, with `areTexts`, canonical strings from the
 * quarantine. A value of the wrong type, such as text for a date, changes the hash.
 */
export function hashRow(
  columns: readonly ColumnMapping[],
  values: readonly unknown[],
  kind: HashKind,
  areTexts = false,
): void {
  if (kind === "md5") return hashRowMd5(columns, values, areTexts);
  lastHash.high = 0;
  lastHash.low = 0;
  let isWrong = false;
  for (let i = 0; i < columns.length; i += 1) {
    if (i % COLUMNS_PER_MASK === 0) maskNulls(values, i);
    const value = values[i];
    const isNumber = !areTexts && columns[i]!.as === "date";
    if (value === null) {
      hashBytes(0);
    } else if (typeof value === "string") {
      isWrong ||= isNumber;
      hashBytes(encodeText(value));
    } else {
      isWrong ||= !isNumber || typeof value !== "number";
      hashBytes(typeof value === "number" ? encodeInteger(value) : encodeText(String(value)));
    }
  }
  if (isWrong) poisonHash();
}

function maskNulls(values: readonly unknown[], from: number): void {
  const to = Math.min(values.length, from + COLUMNS_PER_MASK);
  for (let i = from; i < to; i += 1) {
    if (values[i] !== null) continue;
    if (i - from < 32) lastHash.low ^= 1 << (i - from);
    else lastHash.high ^= 1 << (i - from - 32);
  }
}

function hashRowMd5(
  columns: readonly ColumnMapping[],
  values: readonly unknown[],
  areTexts: boolean,
): void {
  const md5 = createHash("md5");
  let isWrong = false;
  for (const [i, { as }] of columns.entries()) {
    const value = values[i];
    if (value === null) {
      md5.update("-");
      continue;
    }
    isWrong ||= typeof value !== (as === "date" && !areTexts ? "number" : "string");
    const text = String(value);
    md5.update(`${Buffer.byteLength(text)}:${text}`);
  }
  const digest = md5.digest();
  lastHash.high = digest.readInt32BE(0);
  lastHash.low = digest.readInt32BE(4);
  if (isWrong) poisonHash();
}

/** Changes lastHash to a value that no row of the source has, except by chance. */
export function poisonHash(): void {
  lastHash.high ^= 0x5bd1e995;
  lastHash.low ^= 0x1b873593;
}
