// Positions, lengths and times as people read them.

import { roundToSeconds } from "#lib/core/format-duration.ts";

/** How far it has come, in whole seconds that are over: 72_900 → "1:12". What is whole has lengthText of lib/core/format-duration.ts. */
export function formatPosition(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** clock for screen readers: 72_900 → "1 minute 12 seconds". */
export function formatPositionSpoken(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const part = (count: number, unit: string) =>
    count === 0 ? "" : `${count} ${unit}${count === 1 ? "" : "s"}`;
  return (
    [part(Math.floor(seconds / 60), "minute"), part(seconds % 60, "second")]
      .filter(Boolean)
      .join(" ") || "0 seconds"
  );
}

/** lengthText for screen readers: 72_900 → "1 minute 13 seconds". */
export function formatDurationSpoken(ms: number): string {
  return formatPositionSpoken(roundToSeconds(ms) * 1_000);
}

/** When it was, for somebody who looks at `nowMs`: "10:41", "yesterday, 10:41" or "3 May, 10:41". */
export function formatLocalTime(ms: number, nowMs: number): string {
  const at = new Date(ms);
  const time = `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
  const day = (date: Date) =>
    new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((day(new Date(nowMs)) - day(at)) / 86_400_000);
  if (days === 0) return time;
  if (days === 1) return `yesterday, ${time}`;
  return `${at.getDate()} ${at.toLocaleString("en", { month: "long" })}, ${time}`;
}

/** 734_003 → "734 kB". */
export function formatBytes(bytes: number): string {
  return bytes < 1_000_000
    ? `${Math.ceil(bytes / 1_000)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
