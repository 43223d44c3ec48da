// Formats rows as CSV (RFC 4180).

/** Returns a line with its line break. Quotes text, and escapes it if it looks like a formula. */
export function formatCsvRow(cells: readonly (string | number)[]): string {
  const quote = (text: string) =>
    `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  return `${cells.map((cell) => (typeof cell === "number" ? cell : quote(cell))).join(",")}\r\n`;
}
