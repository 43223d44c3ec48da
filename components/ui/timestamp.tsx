// A moment in words: in UTC, and saying so, since the server does not know where the reader is.

import { formatDate } from "#lib/core/format.ts";

/** "November 23rd, 2026, 14:05 UTC"; `day`: without the hour. */
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
