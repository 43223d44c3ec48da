// Reads and builds query strings, and reads parts of paths.

export type SearchParams = Record<string, string | string[] | undefined>;

/** Returns the parameter's last value, truncated to 2,000 characters; "" if it is missing. */
export function lastValue(value: string | string[] | undefined): string {
  return ((Array.isArray(value) ? value.at(-1) : value) ?? "").slice(0, 2_000);
}

/** Decodes a part of a path, which pages get as it is in the URL; "" if it is malformed. */
export function decodeParam(param: string): string {
  try {
    return decodeURIComponent(param);
  } catch {
    return "";
  }
}

/** Returns a pagination cursor, or null if `value` is not one. */
export function parseCursor(value: string | string[] | undefined): number | null {
  const text = lastValue(value);
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Returns `path` with all parameters that are not empty. */
export function buildHref(
  path: string,
  query: Record<string, string | number | null | undefined>,
): string {
  const parameters = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      value === null || value === undefined || value === "" ? [] : [[name, String(value)]],
    ),
  );
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}
