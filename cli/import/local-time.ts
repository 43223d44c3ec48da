// Formats times with the offset of the old site's time zone, so that posts keep their calendar day.

/**
 * Returns `instant` in `timeZone` (IANA name) as ISO 8601 with its offset; in UTC for an unknown
 * zone. Returns "" for an invalid date.
 */
export function formatInZone(instant: Date, timeZone: string): string {
  if (Number.isNaN(instant.getTime())) return "";
  return formatWithOffset(instant, zoneOffsetMinutes(instant, timeZone));
}

/** Returns `instant` as ISO 8601 in the offset: "2024-03-05T23:30:00+02:00", or with "Z". */
export function formatWithOffset(instant: Date, offsetMinutes: number): string {
  const local = new Date(instant.getTime() + offsetMinutes * 60_000).toISOString().slice(0, 19);
  if (offsetMinutes === 0) return `${local}Z`;
  const absolute = Math.abs(offsetMinutes);
  const pad = (value: number) => String(value).padStart(2, "0");
  return `${local}${offsetMinutes < 0 ? "-" : "+"}${pad(Math.floor(absolute / 60))}:${pad(absolute % 60)}`;
}

function zoneOffsetMinutes(instant: Date, timeZone: string): number {
  try {
    const name = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" })
      .formatToParts(instant)
      .find(({ type }) => type === "timeZoneName")?.value;
    const match = /^GMT([+-])(\d{2}):(\d{2})$/.exec(name ?? "");
    if (!match) return 0;
    return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
  } catch {
    return 0;
  }
}

/**
 * Returns the instant of a date: ISO 8601, "2024-03-05 10:00:00", or milliseconds. A time without
 * a zone is in UTC.
 */
export function parseUtc(value: string | number | null | undefined): Date {
  if (typeof value === "number") return new Date(value);
  const text = (value ?? "").trim();
  const hasNoZone = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/.test(text);
  return new Date(hasNoZone ? `${text.replace(" ", "T")}Z` : text);
}
