// Applies the source's row changes to the staging database, including rows in quarantine.

import type Database from "better-sqlite3";
import { AppError } from "#lib/core/errors.ts";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { findInvalidReason, missingParentReason } from "./convert-values.ts";
import type { MigrationOptions } from "./options.ts";
import { QUARANTINE_TABLE, parseQuarantinedRow, prepareQuarantine } from "./quarantine.ts";
import { columnListSql } from "./source-sql.ts";
import {
  type Row,
  type SqliteValue,
  type TableMapping,
  extractKey,
  formatKey,
} from "./table-mapping.ts";

/** Values in the order of the table's columns; undefined if unchanged. */
export type RowPatch = (SqliteValue | undefined)[];

/**
 * Writes in a transaction that the caller opens and commits. For a row that the target's
 * constraints reject, each method throws AppError(conflict) with the table and key.
 */
export interface ChangeApplier {
  insert(table: TableMapping, row: Row): void;
  /** `key` is the row's key before the change. */
  update(table: TableMapping, key: readonly SqliteValue[], patch: RowPatch): void;
  upsert(table: TableMapping, row: Row): void;
  /** Ignores a missing row: a cascade may have removed it. */
  remove(table: TableMapping, key: readonly SqliteValue[]): void;
  truncate(tables: readonly TableMapping[]): void;
  /** Must be called at the end of each source transaction. */
  endTransaction(): void;
}

/** Tables whose "userId" references User. */
const CHILD_TABLES = ["PostRead", "Call", "Session"];
const PARENT_TABLE = "User";
const MISSING_PARENT_REASON = missingParentReason(PARENT_TABLE);
const ORPHAN_BATCH_ROWS = 500;

function prepareStatements(db: Database.Database, table: TableMapping) {
  const { target, columns, key } = table;
  const name = quoteIdentifier(target);
  const where =
    key.length > 0 ? key.map((column) => `${quoteIdentifier(column)} = ?`).join(" AND ") : "false";
  const selectRows = (condition: string) =>
    db.prepare(`SELECT ${columnListSql(table)} FROM ${name} WHERE ${condition}`).raw();
  const selectByKey = selectRows(where);
  const isChild = CHILD_TABLES.includes(target);
  const selectByUser = isChild ? selectRows(`"userId" = ?`) : null;
  const selectSomeChildren = isChild
    ? selectRows(`"userId" IS NOT NULL LIMIT ${ORPHAN_BATCH_ROWS}`)
    : null;
  const updates = new Map<string, Database.Statement>();
  return {
    insert: db.prepare(
      `INSERT INTO ${name} (${columnListSql(table)}) VALUES (${columns.map(() => "?").join(", ")})`,
    ),
    remove: db.prepare(`DELETE FROM ${name} WHERE ${where}`),
    find: (values: readonly SqliteValue[]) => selectByKey.get(values) as Row | undefined,
    findByUser: (id: SqliteValue) => (selectByUser?.all(id) ?? []) as Row[],
    findSomeChildren: () => (selectSomeChildren?.all() ?? []) as Row[],
    /** Returns how many rows changed. Prepares one statement per set of changed columns. */
    update(patch: RowPatch, by: readonly SqliteValue[]): number {
      const isChanged = patch.map((value) => value !== undefined);
      const mask = isChanged.map(Number).join("");
      let statement = updates.get(mask);
      if (!statement) {
        const set = columns
          .filter((_, i) => isChanged[i])
          .map((column) => `${quoteIdentifier(column.name)} = ?`);
        statement = db.prepare(`UPDATE ${name} SET ${set.join(", ")} WHERE ${where}`);
        updates.set(mask, statement);
      }
      return statement.run([...patch.filter((value) => value !== undefined), ...by]).changes;
    },
  };
}

function prepareQuarantineStatements(db: Database.Database) {
  const prepare = (sql: string) => db.prepare(sql.replace("%TABLE%", `"${QUARANTINE_TABLE}"`));
  return {
    put: prepareQuarantine(db),
    find: prepare(`SELECT "row" FROM %TABLE% WHERE "source" = ? AND "key" = ?`).pluck(),
    remove: prepare(`DELETE FROM %TABLE% WHERE "source" = ? AND "key" = ?`),
    /** Finds rows by table, reason, and the value of the column at a JSON path. */
    findByColumn: prepare(
      `SELECT "row" FROM %TABLE% WHERE "source" = ? AND "reason" = ? AND "row" ->> ? = ?`,
    ).pluck(),
    truncate: prepare(`DELETE FROM %TABLE% WHERE "source" = ?`),
    first: prepare(`SELECT "source", "key", "reason" FROM %TABLE% LIMIT 1`),
  };
}

const applyPatch = (row: Row, patch: RowPatch): Row =>
  patch.map((value, i) => (value === undefined ? row[i]! : value));

const createInvalidRowError = (table: TableMapping, key: string, reason: string) =>
  new AppError(
    "conflict",
    `${table.source} ${key}: ${reason}. It was written after the copy. Repair it in the source site, then abort and copy again; or copy again with --invalid-rows quarantine.`,
  );

const createMissingRowError = (table: TableMapping, key: string) =>
  new AppError(
    "conflict",
    `${table.source} ${key} was changed in the source, but is missing from the copy. Abort, then copy again.`,
  );

const isMissingParent = (error: unknown) =>
  (error as { code?: unknown }).code === "SQLITE_CONSTRAINT_FOREIGNKEY";

/** Converts other constraint errors. SQLite's messages contain no values. */
function toConflict(table: TableMapping, key: string, error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return String(code).startsWith("SQLITE_CONSTRAINT")
    ? new AppError("conflict", `${table.source} ${key}: ${String(message)}`)
    : error;
}

/**
 * Creates an applier for `tables`. With `invalidRows: "quarantine"`, rejected rows go to the
 * quarantine. The rows of a deleted user wait there until their own deletion arrives or the user
 * returns. Without that option, endTransaction throws for rows that are still there.
 */
export function createChangeApplier(
  db: Database.Database,
  { tables, options }: { tables: readonly TableMapping[]; options: MigrationOptions },
): ChangeApplier {
  const statements = new Map(tables.map((table) => [table.target, prepareStatements(db, table)]));
  const statementsOf = (table: TableMapping) => statements.get(table.target)!;
  const children = tables.filter(({ target, isSide }) => !isSide && CHILD_TABLES.includes(target));
  const isParent = ({ target, isSide }: TableMapping) => target === PARENT_TABLE && !isSide;
  const quarantine = prepareQuarantineStatements(db);
  // The quarantine is nearly always empty. Then changes skip it.
  let hasQuarantined = quarantine.first.get() !== undefined;

  const extractValues = (table: TableMapping, row: RowPatch) =>
    extractKey(table, row) as SqliteValue[];
  const joinKey = (key: readonly SqliteValue[]) => key.map(String).join(" ");

  function quarantineRow(table: TableMapping, row: Row, reason: string): void {
    quarantine.put(table, row, reason);
    hasQuarantined = true;
  }

  function insert(table: TableMapping, row: Row): void {
    let reason = table.isSide ? null : findInvalidReason(table, row);
    if (reason === null) {
      try {
        statementsOf(table).insert.run(row);
      } catch (error) {
        if (!isMissingParent(error)) throw toConflict(table, formatKey(table, row), error);
        reason = MISSING_PARENT_REASON;
      }
    }
    if (reason === null) adoptChildren(table, row);
    else if (options.invalidRows === "quarantine") quarantineRow(table, row, reason);
    else throw createInvalidRowError(table, formatKey(table, row), reason);
  }

  /** Moves the rows of a new user out of the quarantine. */
  function adoptChildren(table: TableMapping, row: Row): void {
    if (!hasQuarantined || table.target !== PARENT_TABLE) return;
    const id = row[table.columns.findIndex(({ name }) => name === "id")];
    for (const child of children) {
      const column = child.columns.findIndex(({ name }) => name === "userId");
      const orphans = quarantine.findByColumn.all(
        child.target,
        MISSING_PARENT_REASON,
        `$[${column}]`,
        id,
      ) as string[];
      for (const json of orphans) {
        const orphan = parseQuarantinedRow(child, json);
        quarantine.remove.run(child.target, formatKey(child, orphan));
        insert(child, orphan);
      }
    }
  }

  function quarantineChildren(child: TableMapping, rows: readonly Row[]): void {
    for (const row of rows) {
      quarantineRow(child, row, MISSING_PARENT_REASON);
      statementsOf(child).remove.run(extractValues(child, row));
    }
  }

  /** Quarantines the rows of a user who is about to be deleted. */
  function orphanChildren(table: TableMapping, id: SqliteValue): void {
    if (!isParent(table)) return;
    for (const child of children) quarantineChildren(child, statementsOf(child).findByUser(id));
  }

  function orphanAll(child: TableMapping): void {
    for (;;) {
      const rows = statementsOf(child).findSomeChildren();
      if (rows.length === 0) return;
      quarantineChildren(child, rows);
    }
  }

  const findQuarantined = (table: TableMapping, key: readonly SqliteValue[]) =>
    hasQuarantined
      ? (quarantine.find.get(table.target, joinKey(key)) as string | undefined)
      : undefined;

  function update(table: TableMapping, key: readonly SqliteValue[], patch: RowPatch): void {
    const keyText = joinKey(key);
    const quarantinedJson = findQuarantined(table, key);
    if (quarantinedJson !== undefined) {
      quarantine.remove.run(table.target, keyText);
      return insert(table, applyPatch(parseQuarantinedRow(table, quarantinedJson), patch));
    }
    // A trigger (User_id_never_changes in prisma/migrations) prevents changes to User.id, so the
    // row is replaced.
    const newId = extractKey(table, patch)[0];
    const isIdChanged = isParent(table) && newId !== undefined && newId !== key[0];
    // Unchanged values are already in the table, so they are valid. Any text can be their placeholder.
    const checkedRow = patch.map((value) => (value === undefined ? "unchanged" : value));
    const isValid = table.isSide || findInvalidReason(table, checkedRow) === null;
    if (isValid && !isIdChanged) {
      try {
        if (statementsOf(table).update(patch, key) === 0)
          throw createMissingRowError(table, keyText);
        return;
      } catch (error) {
        if (!isMissingParent(error)) throw toConflict(table, keyText, error);
      }
    }
    const before = statementsOf(table).find(key);
    if (!before) throw createMissingRowError(table, keyText);
    remove(table, key);
    insert(table, applyPatch(before, patch));
  }

  function remove(table: TableMapping, key: readonly SqliteValue[]): void {
    if (hasQuarantined && quarantine.remove.run(table.target, joinKey(key)).changes > 0) return;
    orphanChildren(table, key[0]!);
    statementsOf(table).remove.run(key);
  }

  return {
    insert,
    update,
    remove,
    upsert(table, row) {
      const key = extractValues(table, row);
      const exists =
        statementsOf(table).find(key) !== undefined || findQuarantined(table, key) !== undefined;
      if (exists) update(table, key, row);
      else insert(table, row);
    },
    truncate(truncated) {
      // A source without foreign keys keeps the rows of truncated users; here the deletion would
      // cascade.
      if (truncated.some(isParent))
        for (const child of children) if (!truncated.includes(child)) orphanAll(child);
      // Children before parents.
      for (const { target } of [...truncated].reverse()) {
        db.prepare(`DELETE FROM ${quoteIdentifier(target)}`).run();
        quarantine.truncate.run(target);
      }
    },
    endTransaction() {
      if (!hasQuarantined) return;
      const first = quarantine.first.get() as
        { source: string; key: string; reason: string } | undefined;
      if (first && options.invalidRows !== "quarantine")
        throw createInvalidRowError(
          tables.find(({ target }) => target === first.source)!,
          first.key,
          first.reason,
        );
      hasQuarantined = first !== undefined;
    },
  };
}
