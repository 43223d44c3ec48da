// Formats dates, counts, durations and sizes. A day is a string (YYYY-MM-DD), not a timestamp, so
// it is the same in every time zone.

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "./clock.ts";
import { AppError } from "./errors.ts";

const MONTH = new Intl.DateTimeFormat("en-US", { month: "long", timeZone: "UTC" });

function parseDay(date: string): Date {
  const day = new Date(`${date}T00:00:00Z`);
  // February 30 would become March 2.
  if (Number.isNaN(day.getTime()) || formatIsoDate(day.getTime()) !== date)
    throw new AppError("invalid", `"${date.slice(0, 40)}" is not a valid date. Use YYYY-MM-DD.`, {
      field: "date",
    });
  return day;
}

function formatOrdinal(day: number): string {
  if (day >= 11 && day <= 13) return `${day}th`;
  return `${day}${["th", "st", "nd", "rd"][day % 10] ?? "th"}`;
}

/**
 * Formats a day: "2022-11-21" → "November 21st, 2022". Throws AppError(invalid) unless `date` is a
 * valid date.
 */
export function formatDate(date: string): string {
  const day = parseDay(date);
  return `${MONTH.format(day)} ${formatOrdinal(day.getUTCDate())}, ${day.getUTCFullYear()}`;
}

/** Returns the name of a month: "2026-03" → "March". */
export function formatMonth(month: string): string {
  return MONTH.format(new Date(`${month}-01T00:00:00Z`));
}

/** Returns the day of `ms` in UTC: "2026-11-23". */
export function formatIsoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Formats a reading time: "22 min read". */
export function formatReadingTime(minutes: number): string {
  return `${minutes} min read`;
}

/** Formats a count: 498230 → "498.23k", 999 → "999". Truncates, so a count is never overstated. */
export function formatCount(count: number): string {
  const whole = Math.max(0, Math.floor(count));
  if (whole < 1_000) return String(whole);
  const [unit, size] = whole < 1_000_000 ? (["k", 1_000] as const) : (["M", 1_000_000] as const);
  return `${Math.floor(whole / (size / 100)) / 100}${unit}`;
}

/**
 * Returns the count with its noun: "1 read", "498.23k reads". `many` defaults to `one` with an s.
 */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Returns a recording's length in whole seconds, rounded, at least 1. */
export const roundToSeconds = (ms: number): number => Math.max(1, Math.round(ms / SECOND_MS));

function formatClock(seconds: number): string {
  const pad = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0
    ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}`
    : `${minutes}:${pad(seconds % 60)}`;
}

/** For screen readers, which read "1:12" as a time of day. */
function formatSpoken(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes === 0) return pluralize(rest, "second");
  return pluralize(minutes, "minute") + (rest === 0 ? "" : ` ${pluralize(rest, "second")}`);
}

function formatShort(ms: number): string {
  if (ms < SECOND_MS) return `${Math.floor(ms)} ms`;
  if (ms < MINUTE_MS) return `${(Math.floor(ms / 100) / 10).toLocaleString("en-US")} s`;
  const [bigMs, big, smallMs, small] =
    ms < HOUR_MS
      ? ([MINUTE_MS, "min", SECOND_MS, "s"] as const)
      : ([HOUR_MS, "h", MINUTE_MS, "min"] as const);
  const rest = Math.floor((ms % bigMs) / smallMs);
  return `${Math.floor(ms / bigMs)} ${big}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

const UNITS = [
  [DAY_MS, "day"],
  [HOUR_MS, "hour"],
  [MINUTE_MS, "minute"],
  [SECOND_MS, "second"],
] as const;

function formatLargestUnit(ms: number): string {
  const [unitMs, unit] = UNITS.find(([unitMs]) => ms >= unitMs) ?? UNITS[3];
  return pluralize(Math.floor(ms / unitMs), unit);
}

const wholeSeconds = (ms: number) => Math.max(0, Math.floor(ms / SECOND_MS));

const DURATION_STYLES = {
  length: (ms: number) => formatClock(roundToSeconds(ms)),
  "spoken-length": (ms: number) => formatSpoken(roundToSeconds(ms)),
  position: (ms: number) => formatClock(wholeSeconds(ms)),
  "spoken-position": (ms: number) => formatSpoken(wholeSeconds(ms)),
  short: formatShort,
  "largest-unit": formatLargestUnit,
};

/**
 * Formats a duration. For 72,900 ms: "length" (of a recording, rounded) is "1:13" and
 * "spoken-length" "1 minute 13 seconds"; "position" (elapsed seconds) is "1:12"; "short" is "1 min
 * 12 s"; "largest-unit" is "1 minute".
 */
export function formatDuration(ms: number, style: keyof typeof DURATION_STYLES = "length"): string {
  return DURATION_STYLES[style](ms);
}

/** Formats a size in decimal units: 900 → "900 B", 1536 → "1.5 kB", 12,000,000 → "12 MB". */
export function formatBytes(bytes: number): string {
  const [size, unit] =
    bytes < 1_000 ? [1, "B"] : bytes < 999_950 ? [1_000, "kB"] : [1_000_000, "MB"];
  return `${(bytes / size).toLocaleString("en-US", { maximumFractionDigits: 1 })} ${unit}`;
}
