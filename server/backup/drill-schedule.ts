// Decides when this instance runs a restore drill.

import { DAY_MS, MINUTE_MS } from "#lib/core/clock.ts";

/**
 * Replicas wait a random part of this (jitter), so that one runs the drill and the others see its
 * result.
 */
export const DRILL_JITTER_MS = 5 * MINUTE_MS;

/**
 * Returns true if a drill is due here. Replicas run drills, to spare the primary's disk and CPU. In
 * a cluster, the primary runs one only if no replica has done so within another day.
 */
export function isDrillDue({
  intervalDays,
  lastDrillAtMs,
  isPrimary,
  isReplicated,
  startedAtMs,
  nowMs,
}: {
  /** 0 turns drills off. */
  intervalDays: number;
  /** Null before the first drill. */
  lastDrillAtMs: number | null;
  isPrimary: boolean;
  isReplicated: boolean;
  /** When the backup process started. */
  startedAtMs: number;
  nowMs: number;
}): boolean {
  if (intervalDays === 0) return false;
  const dueAtMs = lastDrillAtMs === null ? startedAtMs : lastDrillAtMs + intervalDays * DAY_MS;
  return nowMs >= dueAtMs + (isReplicated && isPrimary ? DAY_MS : 0);
}
