// How a value of Postgres becomes one of SQLite, and which rows this site's rules refuse.

import { createHash } from "node:crypto";
import type { ColumnMapping, TableMapping, Row } from "./table-mapping.ts";
import { quoteIdentifier } from "./table-mapping.ts";

/** 2000-01-01 UTC, where Postgres counts from. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
/** 0001-01-01 and the end of 9999: what dates can be written in four digits. */
const MIN_DATE_MS = -62_135_596_800_000;
const MAX_DATE_MS = 253_402_300_799_999;

/** After so many years the calendar begins again. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 86_400_000;

/** An infinite date, as Postgres writes it: it has no number. */
export type InfiniteDate = "infinity" | "-infinity";

/** Milliseconds since 1970-01-01 UTC of Postgres' binary form (int64, microseconds since 2000-01-01), floored; its text where it is infinite. */
export function parseMicros(high: number, low: number): number | InfiniteDate {
  if (high === 0x7fffffff && low === 0xffffffff) return "infinity";
  if (high === -0x80000000 && low === 0) return "-infinity";
  // A double holds them exactly until the year 2285.
  if (high < 0x200000 && high > -0x200000)
    return Math.floor((high * 4_294_967_296 + low) / 1000) + POSTGRES_EPOCH_MS;
  const micros = (BigInt(high) << 32n) | BigInt(low);
  const floored = micros / 1000n - (micros % 1000n < 0n ? 1n : 0n);
  return Number(floored) + POSTGRES_EPOCH_MS;
}

/** The same of its text form in ISO style and UTC: "2022-11-21 10:20:30.123456", with "+00" or not, " BC" or not. Throws for any other text. */
export function parseDateText(text: string): number | InfiniteDate {
  if (text === "infinity" || text === "-infinity") return text;
  const found =
    /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:\+00)?( BC)?$/.exec(text);
  if (!found) throw new Error("a date in a form that is not known");
  const [, year, month, day, hours = "0", minutes = "0", seconds = "0", fraction = "", before] =
    found;
  const counted = before ? 1 - Number(year) : Number(year);
  // Postgres' years go beyond those of a Date, which ends in 275760.
  const cycles = Math.floor(counted / CYCLE_YEARS);
  const date = new Date(0);
  date.setUTCFullYear(counted - cycles * CYCLE_YEARS, Number(month) - 1, Number(day));
  date.setUTCHours(
    Number(hours),
    Number(minutes),
    Number(seconds),
    Number(fraction.padEnd(3, "0").slice(0, 3)),
  );
  return date.getTime() + cycles * CYCLE_MS;
}

/** What this site keeps in place of a session's id (lib/members/session/hash-session-id.ts makes the same of the id in a cookie). */
export function hashSession(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}

/** A value of the stream, which sends texts. */
export function convertText(column: ColumnMapping, text: string | null): string | number | null {
  if (text === null || column.as === "text") return text;
  return column.as === "date" ? parseDateText(text) : hashSession(text);
}

/** Why the target's rules refuse a row; null where they take it. An infinite date stands in it as its text. */
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
      return `${column.name} is none of ${column.allowed.join(", ")}`;
    } else if (value === "" && column.name === "postSlug" && target === "PostRead") {
      return "postSlug is empty";
    }
  }
  return null;
}

/** The SQL, in Postgres, for a column's canonical text: what both sides hash, and what is kept of rows that are put aside. Null stays null. */
export function canonicalSql({ name, as, hasMicros }: ColumnMapping): string {
  const column = quoteIdentifier(name);
  if (as === "text") return `${column}::text`;
  if (as === "session-id") return `encode(sha256(convert_to(${column}::text, 'UTF8')), 'hex')`;
  // date_trunc floors, also before 1970; a double holds the seconds of four-digit years well enough to round to milliseconds.
  const whole = hasMicros ? `date_trunc('milliseconds', ${column})` : column;
  // Beyond them whole minutes and the milliseconds in the last one are exact each; the sum is then rounded as a double of ours is.
  const far = `(date_part('epoch', date_trunc('minute', ${column}))::bigint * 1000 + floor(date_part('milliseconds', ${column}))::bigint)::float8::bigint::text`;
  return `CASE WHEN ${column} >= '0001-01-01' AND ${column} < '10000-01-01' THEN (date_part('epoch', ${whole}) * 1000)::bigint::text WHEN isfinite(${column}) THEN ${far} ELSE ${column}::text END`;
}

/** The canonical texts of a row as SQLite holds it. */
export function toCanonicalTexts(row: Row): (string | null)[] {
  return row.map((value) => (typeof value === "number" ? String(value) : value));
}

/** A row that was put aside, from what Moved_aside keeps of it: dates that have a number as numbers. */
export function parseQuarantinedRow({ columns }: TableMapping, json: string): Row {
  return (JSON.parse(json) as (string | null)[]).map((text, i) =>
    columns[i]!.as === "date" && text !== null && /^-?\d+$/.test(text) ? Number(text) : text,
  );
}

/** The key of a row, as messages and Moved_aside name it. */
export function formatKey({ key, columns }: TableMapping, row: Row): string {
  return key
    .map((name) => String(row[columns.findIndex((column) => column.name === name)]))
    .join(" ");
}
