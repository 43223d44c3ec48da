// Parses a date as authors write it: ISO 8601 or English words, with or without a time and zone.

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "#lib/core/clock.ts";

export interface WrittenDate {
  /** The calendar day as written, YYYY-MM-DD. */
  readonly day: string;
  /** The instant in Unix ms; null for a day without a time. A time without a zone is in UTC. */
  readonly timeMs: number | null;
}

/** The allowed formats, for error messages. */
export const DATE_RULE =
  "must be a calendar day such as 2026-11-21 or November 21, 2026, with or without a time such as 2026-11-21T10:00:00+01:00";

const TIME =
  "(?:(?:[Tt]|,?\\s+(?:at\\s+)?)(?<hour>\\d{1,2}):(?<minute>\\d\\d)(?::(?<second>\\d\\d)(?:[.,]\\d+)?)?\\s*(?<half>[AaPp]\\.?[Mm]\\.?)?\\s*(?:[Zz]|UTC|GMT)?\\s*(?<zone>[+-]\\d\\d(?::?\\d\\d)?)?(?:\\s*\\([^)]*\\))?)?";
const WEEKDAY = "(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\\.?,?\\s+)?";
const DAY = "(?<day>\\d{1,2})(?:st|nd|rd|th)?";
const MONTH_NAME = "(?<month>[a-z]{3,9})\\.?";
const YEAR = "(?<year>\\d{4})";

/** Excludes 03/05/2024, which is in March or May, depending on the country. */
const PATTERNS = [
  new RegExp(`^${YEAR}([-/])(?<month>\\d{1,2})\\2(?<day>\\d{1,2})${TIME}$`),
  new RegExp(`^${WEEKDAY}${MONTH_NAME}\\s+${DAY},?\\s+${YEAR}${TIME}$`, "i"),
  new RegExp(`^${WEEKDAY}${DAY}\\.?[\\s-]+${MONTH_NAME},?[\\s-]+${YEAR}${TIME}$`, "i"),
];

const MONTHS =
  "january february march april may june july august september october november december".split(
    " ",
  );

/** Returns 1 to 12 for a number, a name, or the first letters of a name; 0 for other words. */
function parseMonth(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toLowerCase();
  return (
    MONTHS.findIndex((month) => month.startsWith(name) || (name === "sept" && month[0] === "s")) + 1
  );
}

/** Returns the date in `value`, or null if it is not one. */
export function parseWrittenDate(value: unknown): WrittenDate | null {
  const text = (value instanceof Date ? value.toISOString() : String(value)).trim();
  if (text.length > 100) return null;
  for (const pattern of PATTERNS) {
    const groups = pattern.exec(text)?.groups;
    if (groups) return toWrittenDate(groups);
  }
  return null;
}

function toWrittenDate(groups: Record<string, string | undefined>): WrittenDate | null {
  const [year, month, day] = [Number(groups.year), parseMonth(groups.month!), Number(groups.day)];
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (year < 1 || midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day)
    return null;
  const written = midnight.toISOString().slice(0, 10);
  if (groups.hour === undefined) return { day: written, timeMs: null };
  const [minute, second] = [Number(groups.minute), Number(groups.second ?? 0)];
  const hour = parseHour(Number(groups.hour), groups.half);
  const zoneMs = parseZoneMs(groups.zone);
  if (hour === null || minute > 59 || second > 59 || zoneMs === null) return null;
  const timeMs = midnight.getTime() + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS;
  return { day: written, timeMs: timeMs - zoneMs };
}

/** Returns the hour of the day; null unless it exists. */
function parseHour(hour: number, half: string | undefined): number | null {
  if (half === undefined) return hour <= 23 ? hour : null;
  if (hour < 1 || hour > 12) return null;
  return (hour % 12) + (half[0]!.toLowerCase() === "p" ? 12 : 0);
}

function parseZoneMs(zone: string | undefined): number | null {
  if (zone === undefined) return 0;
  const digits = zone.slice(1).replace(":", "");
  const ms = Number(digits.slice(0, 2)) * HOUR_MS + Number(digits.slice(2) || 0) * MINUTE_MS;
  if (ms >= DAY_MS) return null;
  return zone.startsWith("-") ? -ms : ms;
}
