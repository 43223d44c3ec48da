// The Cookie header as it came, before Next reads it.

/** The value of the first cookie `name` in a Cookie header, as it is written there, not decoded; undefined where there is none. */
export function findCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}
