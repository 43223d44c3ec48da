// Renders a timestamp in UTC, since the server does not know the reader's time zone.

import { formatDate } from "#lib/core/format.ts";

/** "November 23rd, 2026, 14:05 UTC"; `day`: without the time. */
export function Timestamp({ ms, day = false }: { ms: number; day?: boolean }) {
  const iso = new Date(ms).toISOString();
  return (
    <time dateTime={iso}>
      {day
        ? formatDate(iso.slice(0, 10))
        : `${formatDate(iso.slice(0, 10))}, ${iso.slice(11, 16)} UTC`}
    </time>
  );
}
