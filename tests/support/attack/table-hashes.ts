// Hashes every table of a database, to detect writes.

import { createHash } from "node:crypto";
import type Database from "better-sqlite3";

export type TableHashes = ReadonlyMap<string, string>;

function listTables(db: Database.Database): string[] {
  return (
    db
      .prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
      )
      .all() as { name: string }[]
  ).map(({ name }) => name);
}

/** Hashes all rows and columns of every table, in one transaction. */
export function hashTables(db: Database.Database): TableHashes {
  return db.transaction(() => {
    const hashes = new Map<string, string>();
    for (const table of listTables(db)) {
      const hash = createHash("sha256");
      let rows = 0;
      for (const row of db
        .prepare(`SELECT * FROM "${table}" ORDER BY 1, 2`)
        .raw()
        .iterate() as Iterable<unknown[]>) {
        rows += 1;
        for (const value of row)
          hash
            .update(`${typeof value} `)
            .update(value instanceof Uint8Array ? value : String(value))
            .update("\0");
      }
      hashes.set(table, `${rows} rows ${hash.digest("hex")}`);
    }
    return hashes;
  })();
}

/** Returns the names of the tables that differ, sorted. */
export function diffTableHashes(before: TableHashes, after: TableHashes): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((table) => before.get(table) !== after.get(table))
    .sort();
}
