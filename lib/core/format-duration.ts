// How long a recording is, as everything says it: page, player, feed and mail round alike.

/** To the nearest second, and at least one. */
export function roundToSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1_000));
}

/** 72_600 → "1:13", an hour → "1:00:00". */
export function formatDuration(ms: number): string {
  const seconds = roundToSeconds(ms);
  const two = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}
