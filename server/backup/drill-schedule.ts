// Decides when this instance rehearses a restore.

import { DAY_MS, MINUTE_MS } from "#lib/core/clock.ts";

/** Replicas wait a random part of this, so that one of them is first and the others see its result. */
export const DRILL_JITTER_MS = 5 * MINUTE_MS;

/**
 * Returns true if a drill is due here. A replica does it, so that the primary keeps its disk and
 * its time; the primary of a cluster only if no replica has done it for another day.
 */
export function isDrillDue({
  intervalDays,
  lastDrillAtMs,
  isPrimary,
  isReplicated,
  nowMs,
}: {
  /** 0 switches drills off. */
  intervalDays: number;
  /** null before the first. */
  lastDrillAtMs: number | null;
  isPrimary: boolean;
  isReplicated: boolean;
  nowMs: number;
}): boolean {
  if (intervalDays === 0) return false;
  if (isReplicated && isPrimary)
    return lastDrillAtMs !== null && nowMs - lastDrillAtMs >= (intervalDays + 1) * DAY_MS;
  return lastDrillAtMs === null || nowMs - lastDrillAtMs >= intervalDays * DAY_MS;
}
