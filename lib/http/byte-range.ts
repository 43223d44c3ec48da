// Parses the Range header (RFC 9110, 14.1.2).

/**
 * Returns the first and last byte of the range within `size`, or "bad" if it is unsatisfiable (send
 * 416). Returns null for no range, multiple ranges, or an invalid one (send the whole body).
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
