// Formats a local time for the recorder, in the time zone of the browser.

/** Formats a local time relative to `nowMs`: "10:41", "yesterday, 10:41" or "May 3, 10:41". */
export function formatLocalTime(ms: number, nowMs: number): string {
  const date = new Date(ms);
  const time = `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
  const startOfDay = (day: Date) =>
    new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  const days = Math.round((startOfDay(new Date(nowMs)) - startOfDay(date)) / 86_400_000);
  if (days === 0) return time;
  if (days === 1) return `yesterday, ${time}`;
  return `${date.toLocaleString("en", { month: "long" })} ${date.getDate()}, ${time}`;
}
