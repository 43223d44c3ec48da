// Formats rows as CSV (RFC 4180).

/** Returns one line with its end. Quotes text, and marks it if a spreadsheet would run it as a formula. */
export function formatCsvRow(cells: readonly (string | number)[]): string {
  const quote = (text: string) =>
    `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  return `${cells.map((cell) => (typeof cell === "number" ? cell : quote(cell))).join(",")}\r\n`;
}
