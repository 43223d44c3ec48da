// Moments and stretches of time as admins read them.

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "#lib/core/clock.ts";

/** "2026-11-23 14:05", in UTC: what a log of the server says too. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

export function Timestamp({ ms }: { ms: number }) {
  return (
    <time className="figures admin-when" dateTime={new Date(ms).toISOString()} title="UTC">
      {formatTimestamp(ms)}
    </time>
  );
}

const UNITS = [
  [DAY_MS, "day"],
  [HOUR_MS, "hour"],
  [MINUTE_MS, "minute"],
  [SECOND_MS, "second"],
] as const;

/** A length of time in its largest whole unit: "3 days", "1 minute"; less than a second is "0 seconds". */
export function formatLargestUnit(ms: number): string {
  const [size, name] = UNITS.find(([size]) => ms >= size) ?? UNITS[3];
  const count = Math.floor(ms / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

/** 1536 → "1.5 kB", 900 → "900 B". */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000
    ? `${(bytes / 1_000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
