// Which rows differ: both sides are read in the order of their keys, side by side.

import type Database from "better-sqlite3";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { canonicalSql, fromAside } from "./convert.ts";
import { createRowReader } from "./copy-rows.ts";
import { ASIDE_TABLE, type MoveColumn, type MoveTable, quoted, sourceName } from "./move.ts";
import { type HashKind, hashRow, hashText, rowHashSql } from "./row-hash.ts";
import { asSourceError } from "./source.ts";

export interface Difference {
  /** As the target has it. */
  readonly key: readonly string[];
  /** As the source has it, where it has the row; for asking it, never for telling (a session's is its secret). */
  readonly sourceKey: readonly string[] | null;
  /** `missing` in the target, `extra` there, or `different`. */
  readonly kind: "missing" | "extra" | "different";
}

interface Hashed {
  readonly key: readonly string[];
  readonly sourceKey: readonly string[];
  readonly hash: string;
}

const asText = (name: string): MoveColumn => ({ name, as: "text", isNullable: true });

/** Keys and hashes of the source's rows in the order of the target's keys (bytes), some thousands at a time. */
async function* readSource(source: pg.Client, { key, columns, ...table }: MoveTable, kind: HashKind): AsyncGenerator<Hashed[]> {
  const keys = key.map((name) => canonicalSql(columns.find((column) => column.name === name)!));
  const raw = key.map((name) => `${quoted(name)}::text`);
  const statement = `COPY (SELECT ${[...keys, ...raw, `(${rowHashSql(columns, kind)})::text`].join(", ")} FROM ${sourceName(table)} ORDER BY ${keys.map((text) => `(${text}) COLLATE "C"`).join(", ")}) TO STDOUT (FORMAT binary)`;
  let rows: Hashed[] = [];
  const width = key.length;
  const reader = createRowReader({ ...table, key, columns: [...keys, ...raw, ""].map((_, i) => asText(String(i))) }, (row) => {
    rows.push({ key: row.slice(0, width) as string[], sourceKey: row.slice(width, 2 * width) as string[], hash: row[2 * width] as string });
  });
  const stream = source.query(copyTo(statement));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      reader.take(chunk);
      if (rows.length > 0) yield rows;
      rows = [];
    }
  } catch (error) {
    throw asSourceError(error);
  }
  reader.end();
}

function* readTarget(db: Database.Database, { target, key, columns }: MoveTable, kind: HashKind): Generator<{ key: string[]; hash: string }> {
  const at = key.map((name) => columns.findIndex((column) => column.name === name));
  const all = db.prepare(`SELECT ${columns.map(({ name }) => quoted(name)).join(", ")} FROM ${quoted(target)} ORDER BY ${key.map(quoted).join(", ")}`).raw();
  for (const row of all.iterate() as IterableIterator<unknown[]>) {
    hashRow(columns, row, kind);
    yield { key: at.map((i) => String(row[i])), hash: hashText() };
  }
}

/** Keys, joined as keyOf does, and hashes of the rows of `table` that were put aside. */
function readAside(db: Database.Database, table: MoveTable, kind: HashKind): Map<string, string> {
  const rows = db.prepare(`SELECT "key", "row" FROM ${quoted(ASIDE_TABLE)} WHERE "source" = ?`).raw().all(table.target) as [string, string][];
  return new Map(
    rows.map(([key, text]) => {
      hashRow(table.columns, fromAside(table, text), kind);
      return [key, hashText()];
    }),
  );
}

/** UTF-8's order, which is both databases': UTF-16 has another one beyond U+FFFF. */
function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i += 1) {
    if (a[i] !== b[i]) return Buffer.compare(Buffer.from(a[i]!), Buffer.from(b[i]!));
  }
  return 0;
}

/**
 * The rows of `table` that are not the same on both sides, in the order of their keys. `source` sees one state, and can do nothing else meanwhile;
 * `db` is not written to. A table without a key has none. Holds some thousand rows, whatever the tables' sizes.
 */
export async function* findDifferences({ source, db, table, kind }: { source: pg.Client; db: Database.Database; table: MoveTable; kind: HashKind }): AsyncGenerator<Difference> {
  if (table.key.length === 0) return;
  const aside = db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(ASIDE_TABLE) ? readAside(db, table, kind) : new Map<string, string>();
  const ours = readTarget(db, table, kind);
  let own = ours.next();
  try {
    for await (const rows of readSource(source, table, kind)) {
      for (const theirs of rows) {
        while (!own.done && compareKeys(own.value.key, theirs.key) < 0) {
          yield { key: own.value.key, sourceKey: null, kind: "extra" };
          own = ours.next();
        }
        const joined = theirs.key.join(" ");
        const kept = aside.get(joined);
        aside.delete(joined);
        if (!own.done && compareKeys(own.value.key, theirs.key) === 0) {
          if (own.value.hash !== theirs.hash || kept !== undefined) yield { ...theirs, kind: "different" };
          own = ours.next();
        } else if (kept !== theirs.hash) {
          yield { ...theirs, kind: kept === undefined ? "missing" : "different" };
        }
      }
    }
    for (; !own.done; own = ours.next()) yield { key: own.value.key, sourceKey: null, kind: "extra" };
    for (const key of aside.keys()) yield { key: [key], sourceKey: null, kind: "extra" };
  } finally {
    ours.return(undefined);
  }
}
