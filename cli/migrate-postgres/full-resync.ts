// Where the source can't stream: compares every row of both sides, and mends what differs. It sees all that is there, and nothing that came and went in between.

import Database from "better-sqlite3";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { type ChangeApplier, createChangeApplier } from "./change-applier.ts";
import { AppError } from "#lib/core/errors.ts";
import { chooseHashKind } from "./table-checksums.ts";
import { convertText } from "./convert-values.ts";
import { copyToSql, createBinaryCopyReader } from "./binary-copy-reader.ts";
import { type RowDifference, findDifferences } from "./find-differences.ts";
import {
  type TableMapping,
  type Row,
  quoteIdentifier,
  qualifiedSourceName,
} from "./table-mapping.ts";
import { toSourceError, connectSource, closeSource, readRows } from "./source-connection.ts";
import type { MigrationState } from "./migration-state.ts";
import { openStagingDatabase } from "./staging-database.ts";

/** Rows are asked for so many at a time; so many are mended in one transaction. */
const FETCH_BATCH_ROWS = 500;
const REPAIR_BATCH_ROWS = 5_000;

export interface ResyncOptions {
  readonly url: string;
  /** The working file. */
  readonly file: string;
  readonly state: Pick<MigrationState, "id" | "tables" | "choices">;
  readonly signal: AbortSignal;
}

/**
 * Makes the working file the same as the source is at one moment during the call. Returns how many rows it mended. A call that was interrupted is made
 * good by the next. Throws AppError(unavailable) where the source is lost, AppError(conflict) for a row that the target's rules refuse.
 */
export async function runFullResync({
  url,
  file,
  state,
  signal,
}: ResyncOptions): Promise<{ mended: number }> {
  const working = openStagingDatabase(file, state.id);
  // What is read stays as it was while the other connection writes.
  const reader = new Database(file, { readonly: true, timeout: 10_000 });
  const source = await connectSource(url, { readOnly: true });
  const rows = await connectSource(url, { readOnly: true });
  try {
    await readRows(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const [now] = await readRows<{ name: string }>(source, "SELECT pg_export_snapshot() AS name");
    await readRows(rows, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await readRows(rows, `SET TRANSACTION SNAPSHOT '${now!.name}'`);
    const kind = await chooseHashKind(source);
    const applier = createChangeApplier(working.db, state);
    let mended = 0;
    // Users first: what points at them is then compared with what they have become.
    for (const table of state.tables) {
      if (table.key.length === 0) {
        await refillTable(rows, working.db, table);
        continue;
      }
      let found: RowDifference[] = [];
      const mendFound = async () => {
        mended += await repairRows({ rows, db: working.db, applier, table, differences: found });
        found = [];
      };
      for await (const difference of findDifferences({ source, db: reader, table, kind, signal })) {
        found.push(difference);
        // Users give up their addresses all at once.
        if (found.length >= REPAIR_BATCH_ROWS && table.target !== "User") await mendFound();
      }
      await mendFound();
    }
    // Only now: what was kept aside when its user went is looked at after the users.
    applier.endTransaction();
    return { mended };
  } finally {
    reader.close();
    working.close();
    for (const client of [source, rows]) await closeSource(client);
  }
}

interface RepairBatch {
  readonly rows: pg.Client;
  readonly db: Database.Database;
  readonly applier: ChangeApplier;
  readonly table: TableMapping;
  readonly differences: readonly RowDifference[];
}

async function repairRows({ rows, db, applier, table, differences }: RepairBatch): Promise<number> {
  if (differences.length === 0) return 0;
  const wanted = differences.filter(({ sourceKey }) => sourceKey !== null);
  // A user's address may be another's by now: those that change give theirs up first, in the same transaction.
  const isUnique = table.target === "User" && !table.isSide;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const { key, kind } of differences) if (kind === "extra") applier.remove(table, key);
    if (isUnique) {
      const giveUp = db.prepare(`UPDATE "User" SET "email" = 'moving ' || "id" WHERE "id" = ?`);
      for (const { key } of wanted) giveUp.run(key[0]);
    }
    for (let at = 0; at < wanted.length; at += FETCH_BATCH_ROWS) {
      for (const row of await readSourceRows(
        rows,
        table,
        wanted.slice(at, at + FETCH_BATCH_ROWS).map(({ sourceKey }) => sourceKey!),
      ))
        applier.upsert(table, row);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
  return differences.length;
}

/** The rows with these keys, as the target keeps them. */
async function readSourceRows(
  client: pg.Client,
  table: TableMapping,
  keys: readonly (readonly string[])[],
): Promise<Row[]> {
  const given = table.key.map((_, i) => `$${i + 1}::text[]`);
  const names = table.key.map((name) => `${quoteIdentifier(name)}::text`);
  const where =
    names.length === 1
      ? `${names[0]} = ANY (${given[0]})`
      : `(${names.join(", ")}) IN (SELECT * FROM unnest(${given.join(", ")}))`;
  const values = table.key.map((_, i) => keys.map((key) => key[i]!));
  const columns = table.columns.map(({ name }, i) => `${quoteIdentifier(name)}::text AS c${i}`);
  const found = await readRows(
    client,
    `SELECT ${columns.join(", ")} FROM ${qualifiedSourceName(table)} WHERE ${where}`,
    values as unknown as string[],
  );
  return found.map((row) => table.columns.map((column, i) => convertText(column, row[`c${i}`]!)));
}

/** Puts what `source` sees of tables without a key in the place of what the working file has: their rows can't be told apart. */
export async function refillKeylessTables({
  source,
  file,
  state,
}: {
  source: pg.Client;
  file: string;
  state: Pick<MigrationState, "id" | "tables">;
}): Promise<void> {
  const keyless = state.tables.filter(({ key }) => key.length === 0);
  if (keyless.length === 0) return;
  const working = openStagingDatabase(file, state.id);
  try {
    for (const table of keyless) await refillTable(source, working.db, table);
  } finally {
    working.close();
  }
}

async function refillTable(
  source: pg.Client,
  db: Database.Database,
  table: TableMapping,
): Promise<void> {
  const insert = db.prepare(
    `INSERT INTO ${quoteIdentifier(table.target)} VALUES (${table.columns.map(() => "?").join(", ")})`,
  );
  const reader = createBinaryCopyReader(table, (row) => insert.run(row));
  db.exec(`BEGIN IMMEDIATE; DELETE FROM ${quoteIdentifier(table.target)}`);
  try {
    for await (const chunk of source.query(copyTo(copyToSql(table))) as AsyncIterable<Buffer>)
      reader.push(chunk);
    reader.finish();
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error instanceof AppError ? error : toSourceError(error);
  }
}
