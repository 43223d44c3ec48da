// Parses the Range header (RFC 9110, 14.1.2).

/**
 * Returns the first and last byte within `size`; "bad" for an unsatisfiable range (416). null for no range, several, or one
 * that can't be parsed: the whole body is sent.
 */
export function parseByteRange(
  header: string | null,
  size: number,
): { start: number; end: number } | "bad" | null {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return null;
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start <= end && start < size ? { start, end } : "bad";
}
