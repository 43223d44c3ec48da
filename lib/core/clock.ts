// Time that tests can set. Everything that asks for the time asks here.

import { singleton } from "./singleton.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const testClock = singleton("test-clock", () => ({ offsetMs: 0 }));

/** Milliseconds since 1970-01-01 UTC, moved by whatever a test has set. */
export function nowMs(): number {
  return Date.now() + testClock.offsetMs;
}

/** Days since 1970-01-01 UTC: the unit of every rolling window. */
export function epochDay(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** The same moment `months` calendar months earlier in UTC; the day is clamped to the length of that month. */
export function subtractMonths(ms: number, months: number): number {
  const from = new Date(ms);
  const to = new Date(ms);
  to.setUTCDate(1);
  to.setUTCMonth(to.getUTCMonth() - months);
  const lastDay = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate();
  to.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return to.getTime();
}

/** Makes `nowMs` return `ms` now and run on from there; `null` gives the real time back. For tests only. */
export function setClock(ms: number | null): void {
  testClock.offsetMs = ms === null ? 0 : ms - Date.now();
}
