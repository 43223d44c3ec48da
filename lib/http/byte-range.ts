// Which bytes of something a request asks for.

/**
 * One byte range of `size`, both ends within it: null for none, several or one we don't understand (the whole is sent),
 * "bad" for one outside, or that ends before it begins (416). RFC 9110, 14.1.2.
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
