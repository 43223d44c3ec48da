// Formats dates, numbers and lists in a language.

/** Returns the functions of one language. `date` takes YYYY-MM-DD. */
export function createFormats(lang: string) {
  const dates = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeZone: "UTC" });
  // Truncates, so a count is never overstated.
  const counts = new Intl.NumberFormat(lang, {
    notation: "compact",
    maximumFractionDigits: 2,
    roundingMode: "trunc",
  });
  const decimals = new Intl.NumberFormat(lang, {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  const lists = new Intl.ListFormat(lang);
  return {
    date: (day: string) => dates.format(new Date(`${day}T00:00:00Z`)),
    count: (value: number) => counts.format(value),
    decimal: (value: number) => decimals.format(value),
    list: (items: readonly string[]) => lists.format(items),
  };
}
