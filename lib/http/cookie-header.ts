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
