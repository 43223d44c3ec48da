// Reads cookies from the raw Cookie header, before Next parses it.

/** Returns the raw value of the first cookie named `name`, or undefined. */
export function findCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const separator = pair.indexOf("=");
    if (separator > 0 && pair.slice(0, separator).trim() === name)
      return pair.slice(separator + 1).trim();
  }
  return undefined;
}

/** Returns all cookies by name, decoded as by Next. If a name repeats, the last one wins. */
export function parseCookies(header: string): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of header.split(";")) {
    const separator = pair.indexOf("=");
    if (separator <= 0) continue;
    try {
      cookies.set(
        pair.slice(0, separator).trim(),
        decodeURIComponent(pair.slice(separator + 1).trim()),
      );
    } catch {
      // Next ignores a value that can't be decoded.
    }
  }
  return cookies;
}
