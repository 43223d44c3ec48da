// Converts PostgreSQL values to SQLite values, and checks rows against this site's constraints.

import { hashSecret } from "#lib/core/secret.ts";
import type { ColumnMapping, Row, SqliteValue, TableMapping } from "./table-mapping.ts";

/** 2000-01-01 UTC, the epoch of PostgreSQL's binary dates. */
export const POSTGRES_EPOCH_MS = 946_684_800_000;
/** Years with four digits: 0001-01-01 to the end of 9999. */
const MIN_DATE_MS = -62_135_596_800_000;
const MAX_DATE_MS = 253_402_300_799_999;

/** The Gregorian calendar repeats after this many years. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 86_400_000;

/** An infinite date as PostgreSQL writes it. It has no numeric value. */
export type InfiniteDate = "infinity" | "-infinity";

/**
 * Parses a binary date (int64, microseconds since 2000-01-01) to Unix milliseconds, floored.
 * Returns an infinite date as text.
 */
export function parseMicros(high: number, low: number): number | InfiniteDate {
  if (high === 0x7fffffff && low === 0xffffffff) return "infinity";
  if (high === -0x80000000 && low === 0) return "-infinity";
  // A double represents these microseconds exactly, until the year 2285.
  if (high < 0x200000 && high > -0x200000)
    return Math.floor((high * 4_294_967_296 + low) / 1000) + POSTGRES_EPOCH_MS;
  const micros = (BigInt(high) << 32n) | BigInt(low);
  const floored = micros / 1000n - (micros % 1000n < 0n ? 1n : 0n);
  return Number(floored) + POSTGRES_EPOCH_MS;
}

/**
 * Parses an ISO date text in UTC, such as "2022-11-21 10:20:30.123456+00", optionally " BC". Throws
 * an Error for any other text.
 */
export function parseDateText(text: string): number | InfiniteDate {
  if (text === "infinity" || text === "-infinity") return text;
  const match =
    /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:\+00)?( BC)?$/.exec(text);
  if (!match) throw new Error("unknown date format");
  const [, year, month, day, hours = "0", minutes = "0", seconds = "0", fraction = "", isBc] =
    match;
  const astronomicalYear = isBc ? 1 - Number(year) : Number(year);
  // PostgreSQL's years exceed the last year of a Date, 275760.
  const cycles = Math.floor(astronomicalYear / CYCLE_YEARS);
  const date = new Date(0);
  date.setUTCFullYear(astronomicalYear - cycles * CYCLE_YEARS, Number(month) - 1, Number(day));
  date.setUTCHours(
    Number(hours),
    Number(minutes),
    Number(seconds),
    Number(fraction.padEnd(3, "0").slice(0, 3)),
  );
  return date.getTime() + cycles * CYCLE_MS;
}

/** Converts a value that the source sent as text. */
export function convertText(column: ColumnMapping, text: string | null): SqliteValue {
  if (text === null || column.as === "text") return text;
  return column.as === "date" ? parseDateText(text) : hashSecret(text);
}

/** Returns why a row is rejected whose `parent`, such as "User", does not exist. */
export const missingParentReason = (parent: string): string => `its ${parent} is missing`;

/**
 * Returns why the target's constraints reject a row, or null if they don't. Infinite dates in the
 * row are text.
 */
export function findInvalidReason({ columns, target }: TableMapping, row: Row): string | null {
  for (let i = 0; i < columns.length; i += 1) {
    const column = columns[i]!;
    const value = row[i]!;
    if (value === null) {
      if (!column.isNullable) return `${column.name} is null`;
    } else if (column.as === "date") {
      if (typeof value !== "number") return `${column.name} is infinite`;
      if (value < MIN_DATE_MS || value > MAX_DATE_MS)
        return `${column.name} is not in the years 1 to 9999`;
    } else if (column.allowed && !column.allowed.includes(value as string)) {
      return `${column.name} is not one of ${column.allowed.join(", ")}`;
    } else if (value === "" && column.name === "postSlug" && target === "PostRead") {
      return "postSlug is empty";
    }
  }
  return null;
}
