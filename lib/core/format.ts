// How dates and numbers are written. Days are plain text here, never moments: so they are the same in every time zone.

import { AppError } from "./errors.ts";

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

function parseDay(date: string): { year: number; month: number; day: number } {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? [];
  const found = { year: Number(year), month: Number(month), day: Number(day) };
  const real = new Date(Date.UTC(found.year, found.month - 1, found.day));
  if (!year || real.getUTCMonth() !== found.month - 1 || real.getUTCDate() !== found.day) {
    throw new AppError("invalid", `"${date.slice(0, 40)}" is not a day. Write YYYY-MM-DD.`, {
      field: "date",
    });
  }
  return found;
}

function formatOrdinal(day: number): string {
  if (day >= 11 && day <= 13) return `${day}th`;
  return `${day}${["th", "st", "nd", "rd"][day % 10] ?? "th"}`;
}

/** "2022-11-21" → "November 21st, 2022". Throws AppError(invalid) for anything but an existing day. */
export function formatDate(date: string): string {
  const { year, month, day } = parseDay(date);
  return `${MONTHS[month - 1]} ${formatOrdinal(day)}, ${year}`;
}

/**
 * The moment that stands for a day where a format asks for one (feeds, sitemap): 12:00 UTC.
 * At noon UTC it is that day from UTC-12 to UTC+11, so a feed reader that converts to local time shows the day that was written.
 * Throws AppError(invalid) for anything but an existing day.
 */
export function noonUtc(date: string): Date {
  const { year, month, day } = parseDay(date);
  return new Date(Date.UTC(year, month - 1, day, 12));
}

/** "22 min read". */
export function formatReadingTime(minutes: number): string {
  return `${minutes} min read`;
}

/** 498230 → "498.23k", 1200000 → "1.2M", 999 → "999". Cut, not rounded: a total never claims reads that did not happen. */
export function formatCount(count: number): string {
  const whole = Math.max(0, Math.floor(count));
  if (whole < 1_000) return String(whole);
  const [unit, size] = whole < 1_000_000 ? (["k", 1_000] as const) : (["M", 1_000_000] as const);
  return `${Math.floor(whole / (size / 100)) / 100}${unit}`;
}

/** Returns the count with its noun: "1 read", "498.23k reads". `many` defaults to `one` with an s. */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
