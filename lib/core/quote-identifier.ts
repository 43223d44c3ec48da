/** Quotes an identifier, for PostgreSQL and SQLite alike. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
