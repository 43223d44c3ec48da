// Finds values whose storage class differs from their column's, such as a date stored as text.
// SQLite stores any type in any column if a program writes with PRAGMA ignore_check_constraints.

import type Database from "better-sqlite3";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";

export interface MistypedValues {
  readonly table: string;
  readonly column: string;
  readonly expected: string;
  readonly count: number;
}

/** The storage class that Prisma reads, by declared type. Dates are integer milliseconds. */
const STORAGE_CLASSES: Readonly<Record<string, string>> = {
  DATETIME: "integer",
  INTEGER: "integer",
  BOOLEAN: "integer",
  TEXT: "text",
  BLOB: "blob",
};

interface Column {
  readonly name: string;
  readonly type: string;
}

/** Returns the columns of the site's tables that contain such values. Scans each table once. */
export function findMistypedValues(db: Database.Database): MistypedValues[] {
  const tables = db
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_prisma_migrations' ORDER BY name`,
    )
    .pluck()
    .all() as string[];
  return tables.flatMap((table) => {
    const columns = (db.pragma(`table_info(${quoteIdentifier(table)})`) as Column[]).flatMap(
      ({ name, type }) => {
        const expected = STORAGE_CLASSES[type.toUpperCase()];
        return expected ? [{ name, expected }] : [];
      },
    );
    if (columns.length === 0) return [];
    const sums = columns.map(
      ({ name, expected }) =>
        `total(typeof(${quoteIdentifier(name)}) NOT IN ('${expected}', 'null'))`,
    );
    const counts = db
      .prepare(`SELECT ${sums.join(", ")} FROM ${quoteIdentifier(table)}`)
      .raw()
      .get() as number[];
    return columns
      .map(({ name, expected }, i) => ({ table, column: name, expected, count: counts[i]! }))
      .filter(({ count }) => count > 0);
  });
}
