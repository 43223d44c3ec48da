// Provides the current time, which tests can set, and time units.

import { singleton } from "./singleton.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const testClock = singleton("test-clock", () => ({ offsetMs: 0 }));

/** Returns milliseconds since the Unix epoch, shifted by setClock() in tests. */
export function nowMs(): number {
  return Date.now() + testClock.offsetMs;
}

/** Returns whole days since the Unix epoch in UTC, the unit of all rolling windows. */
export function epochDay(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** Subtracts calendar months in UTC, clamping the day to the length of the month. */
export function subtractMonths(ms: number, months: number): number {
  const from = new Date(ms);
  const to = new Date(ms);
  to.setUTCDate(1);
  to.setUTCMonth(to.getUTCMonth() - months);
  const lastDay = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate();
  to.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return to.getTime();
}

/** Makes nowMs() return `ms` now and advance from there; null restores the real time. For tests. */
export function setClock(ms: number | null): void {
  testClock.offsetMs = ms === null ? 0 : ms - Date.now();
}
