// Formats timestamps for admins, in UTC.

/** Formats as "2026-11-23 14:05", in UTC, as the server's log does. */
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
