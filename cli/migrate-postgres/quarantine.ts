// Quarantines rows that the target's constraints reject: complete, as canonical strings, with the
// reason.

import type Database from "better-sqlite3";
import { formatKey, type Row, type TableMapping } from "./table-mapping.ts";

/**
 * Its column `source` has the target table's name; `row` has a JSON array of canonical strings in
 * column order.
 */
export const QUARANTINE_TABLE = "_quarantined_rows";

export function createQuarantineTable(db: Database.Database): void {
  db.exec(
    `CREATE TABLE "${QUARANTINE_TABLE}" ("source" TEXT NOT NULL, "key" TEXT NOT NULL, "reason" TEXT NOT NULL, "row" TEXT NOT NULL, PRIMARY KEY ("source", "key"))`,
  );
}

/** Returns false for a finished database without quarantined rows. */
export function hasQuarantineTable(db: Database.Database): boolean {
  return (
    db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(QUARANTINE_TABLE) !== undefined
  );
}

/** Drops the table if it is empty. */
export function dropEmptyQuarantine(db: Database.Database): void {
  if (hasQuarantineTable(db) && !db.prepare(`SELECT 1 FROM "${QUARANTINE_TABLE}" LIMIT 1`).get())
    db.exec(`DROP TABLE "${QUARANTINE_TABLE}"`);
}

/** Returns how many rows of the table are quarantined. */
export function countQuarantined(db: Database.Database, { target }: TableMapping): number {
  if (!hasQuarantineTable(db)) return 0;
  return db
    .prepare(`SELECT count(*) FROM "${QUARANTINE_TABLE}" WHERE "source" = ?`)
    .pluck()
    .get(target) as number;
}

/** Returns a function that stores a row, replacing one with the same key. */
export function prepareQuarantine(
  db: Database.Database,
): (table: TableMapping, row: Row, reason: string) => void {
  const insert = db.prepare(
    `INSERT OR REPLACE INTO "${QUARANTINE_TABLE}" ("source", "key", "reason", "row") VALUES (?, ?, ?, ?)`,
  );
  return (table, row, reason) =>
    void insert.run(
      table.target,
      formatKey(table, row),
      reason,
      JSON.stringify(row.map((value) => (typeof value === "number" ? String(value) : value))),
    );
}

/** Parses the `row` column: finite dates become numbers again. */
export function parseQuarantinedRow({ columns }: TableMapping, json: string): Row {
  return (JSON.parse(json) as (string | null)[]).map((text, i) =>
    columns[i]!.as === "date" && text !== null && /^-?\d+$/.test(text) ? Number(text) : text,
  );
}
