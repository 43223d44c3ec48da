// Compares every row of both sides and repairs the differences, for a source that cannot stream.

import Database from "better-sqlite3";
import type pg from "pg";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { copyToSql, createBinaryCopyReader } from "./binary-copy-reader.ts";
import { type ChangeApplier, createChangeApplier } from "./change-applier.ts";
import { convertText } from "./convert-values.ts";
import { type RowDifference, findDifferences } from "./find-differences.ts";
import { openSnapshot } from "./migration.ts";
import type { MigrationState } from "./migration-state.ts";
import { readCopy } from "./read-copy.ts";
import { closeSource, readRows } from "./source-connection.ts";
import { matchKeysSql, qualifiedSourceName } from "./source-sql.ts";
import { openStagingDatabase } from "./staging-database.ts";
import { chooseHashKind } from "./table-checksums.ts";
import type { Row, TableMapping } from "./table-mapping.ts";

const FETCH_BATCH_ROWS = 500;
/** Rows that one transaction repairs. */
const REPAIR_BATCH_ROWS = 5_000;

export interface ResyncOptions {
  readonly url: string;
  /** The staging database. */
  readonly file: string;
  readonly state: Pick<MigrationState, "id" | "tables" | "options">;
  readonly signal: AbortSignal;
}

/**
 * Makes the staging database equal to one snapshot of the source. Returns how many rows were
 * repaired. Idempotent, even after an interruption. Throws AppError(unavailable) if the source is
 * lost or silent, AppError(conflict) for a row that the target's constraints reject.
 */
export async function runFullResync({
  url,
  file,
  state,
  signal,
}: ResyncOptions): Promise<{ repaired: number }> {
  const staging = openStagingDatabase(file, state.id);
  // Keeps its snapshot while the other connection writes.
  const reader = new Database(file, { readonly: true, timeout: 10_000 });
  const clients: pg.Client[] = [];
  try {
    const source = await openSnapshot(url, null);
    clients.push(source);
    const [snapshot] = await readRows<{ name: string }>(
      source,
      "SELECT pg_export_snapshot() AS name",
    );
    const rowSource = await openSnapshot(url, snapshot!.name);
    clients.push(rowSource);
    const kind = await chooseHashKind(source);
    const applier = createChangeApplier(staging.db, state);
    let repaired = 0;
    // Users come first, so that their rows are compared after the users are repaired.
    for (const table of state.tables) {
      if (table.key.length === 0) {
        await refillTable(rowSource, staging.db, table, signal);
        continue;
      }
      const repair = (differences: readonly RowDifference[]) =>
        repairRows({ source: rowSource, db: staging.db, applier, table, differences });
      let batch: RowDifference[] = [];
      for await (const difference of findDifferences({ source, db: reader, table, kind, signal })) {
        batch.push(difference);
        // All users release their email addresses in one transaction (repairRows).
        if (batch.length < REPAIR_BATCH_ROWS || table.target === "User") continue;
        repaired += await repair(batch);
        batch = [];
      }
      repaired += await repair(batch);
    }
    // Comes last: rows of removed users stay in quarantine until their own table is compared.
    applier.endTransaction();
    return { repaired };
  } finally {
    reader.close();
    staging.close();
    for (const client of clients) await closeSource(client);
  }
}

interface RepairBatch {
  readonly source: pg.Client;
  readonly db: Database.Database;
  readonly applier: ChangeApplier;
  readonly table: TableMapping;
  readonly differences: readonly RowDifference[];
}

async function repairRows({
  source,
  db,
  applier,
  table,
  differences,
}: RepairBatch): Promise<number> {
  if (differences.length === 0) return 0;
  const outdated = differences.filter(({ sourceKey }) => sourceKey !== null);
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const { key, kind } of differences) if (kind === "extra") applier.remove(table, key);
    // Users may have swapped addresses, so all changed users release theirs first, in the same
    // transaction.
    if (table.target === "User" && !table.isSide) {
      const releaseEmail = db.prepare(
        `UPDATE "User" SET "email" = 'resync ' || "id" WHERE "id" = ?`,
      );
      for (const { key } of outdated) releaseEmail.run(key[0]);
    }
    for (let start = 0; start < outdated.length; start += FETCH_BATCH_ROWS) {
      const keys = outdated
        .slice(start, start + FETCH_BATCH_ROWS)
        .map(({ sourceKey }) => sourceKey!);
      for (const row of await readSourceRows(source, table, keys)) applier.upsert(table, row);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
  return differences.length;
}

/** Reads the rows with these keys, converted for the target. */
async function readSourceRows(
  client: pg.Client,
  table: TableMapping,
  keys: readonly (readonly string[])[],
): Promise<Row[]> {
  const { where, values } = matchKeysSql(
    table.key.map((name) => `${quoteIdentifier(name)}::text`),
    keys,
  );
  const columns = table.columns.map(({ name }, i) => `${quoteIdentifier(name)}::text AS c${i}`);
  const rows = await readRows(
    client,
    `SELECT ${columns.join(", ")} FROM ${qualifiedSourceName(table)} WHERE ${where}`,
    values,
  );
  return rows.map((row) => table.columns.map((column, i) => convertText(column, row[`c${i}`]!)));
}

/**
 * Replaces all rows of tables without a key with what `source` sees, because rows cannot be
 * matched.
 */
export async function refillKeylessTables({
  source,
  file,
  state,
  signal,
}: {
  source: pg.Client;
  file: string;
  state: Pick<MigrationState, "id" | "tables">;
  signal: AbortSignal;
}): Promise<void> {
  const keyless = state.tables.filter(({ key }) => key.length === 0);
  if (keyless.length === 0) return;
  const staging = openStagingDatabase(file, state.id);
  try {
    for (const table of keyless) await refillTable(source, staging.db, table, signal);
  } finally {
    staging.close();
  }
}

async function refillTable(
  source: pg.Client,
  db: Database.Database,
  table: TableMapping,
  signal: AbortSignal,
): Promise<void> {
  const name = quoteIdentifier(table.target);
  const insert = db.prepare(
    `INSERT INTO ${name} VALUES (${table.columns.map(() => "?").join(", ")})`,
  );
  const reader = createBinaryCopyReader(table, (row) => insert.run(row));
  db.exec(`BEGIN IMMEDIATE; DELETE FROM ${name}`);
  try {
    for await (const chunk of readCopy(source, copyToSql(table), { signal })) reader.push(chunk);
    reader.finish();
    db.exec("COMMIT");
  } catch (error) {
    // If the disk is full, SQLite has already rolled back.
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
