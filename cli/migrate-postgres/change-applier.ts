// Changes single rows of the working file as the source changed its own, also where rows are kept aside.

import type Database from "better-sqlite3";
import { AppError } from "#lib/core/errors.ts";
import {
  toCanonicalTexts,
  findInvalidReason,
  parseQuarantinedRow,
  formatKey,
} from "./convert-values.ts";
import {
  QUARANTINE_TABLE,
  type MigrationOptions,
  type TableMapping,
  type Row,
  type SqliteValue,
  quoteIdentifier,
} from "./table-mapping.ts";

/** In the order of the table's columns; undefined: as it was. */
export type RowPatch = (SqliteValue | undefined)[];

/** Writes within a transaction that the caller begins and commits. Each throws AppError(conflict), naming table and key, for what was not decided. */
export interface ChangeApplier {
  insert(table: TableMapping, row: Row): void;
  /** `key` names the row as it was before. */
  update(table: TableMapping, key: readonly SqliteValue[], row: RowPatch): void;
  /** Inserts, or updates where there is one with its key. */
  upsert(table: TableMapping, row: Row): void;
  /** A row that is not there is no error: it went with another. */
  remove(table: TableMapping, key: readonly SqliteValue[]): void;
  truncate(tables: readonly TableMapping[]): void;
  /** At the end of each transaction of the source. */
  endTransaction(): void;
}

/** The tables whose rows point at users, by "userId". */
const CHILD_TABLES = ["PostRead", "Call", "Session"];
const PARENT_TABLE = "User";
const MISSING_PARENT_REASON = `its ${PARENT_TABLE} is not there`;

/** SQLite's statements of a table, prepared when they are first wanted. */
function prepareStatements(db: Database.Database, { target, columns, key }: TableMapping) {
  const names = columns.map(({ name }) => quoteIdentifier(name));
  const where = key.map((name) => `${quoteIdentifier(name)} = ?`).join(" AND ");
  const updates = new Map<string, Database.Statement>();
  const select = db
    .prepare(`SELECT ${names.join(", ")} FROM ${quoteIdentifier(target)} WHERE ${where || "false"}`)
    .raw();
  const children = CHILD_TABLES.includes(target)
    ? db
        .prepare(`SELECT ${names.join(", ")} FROM ${quoteIdentifier(target)} WHERE "userId" = ?`)
        .raw()
    : null;
  const any = CHILD_TABLES.includes(target)
    ? db
        .prepare(
          `SELECT ${names.join(", ")} FROM ${quoteIdentifier(target)} WHERE "userId" IS NOT NULL LIMIT 500`,
        )
        .raw()
    : null;
  return {
    insert: db.prepare(
      `INSERT INTO ${quoteIdentifier(target)} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
    ),
    remove: db.prepare(`DELETE FROM ${quoteIdentifier(target)} WHERE ${where || "false"}`),
    find: (values: readonly SqliteValue[]) => select.get(values) as Row | undefined,
    /** Some of those that point at a user. */
    anyUsers: () => (any?.all() ?? []) as Row[],
    ofUser: (id: SqliteValue) => (children?.all(id) ?? []) as Row[],
    update(values: RowPatch, by: readonly SqliteValue[]): number {
      const sent = values.map((value) => value !== undefined);
      const mask = sent.map(Number).join("");
      let statement = updates.get(mask);
      if (!statement) {
        statement = db.prepare(
          `UPDATE ${quoteIdentifier(target)} SET ${names
            .filter((_, i) => sent[i])
            .map((name) => `${name} = ?`)
            .join(", ")} WHERE ${where}`,
        );
        updates.set(mask, statement);
      }
      return statement.run([...values.filter((value) => value !== undefined), ...by]).changes;
    },
  };
}

/**
 * An applier for `tables`, the move's. What the target's rules refuse is put aside where `choices` say so. A row whose user goes is kept aside until its own
 * deletion arrives: a source without foreign keys sends none, and there it would be lost.
 */
export function createChangeApplier(
  db: Database.Database,
  { tables, choices }: { tables: readonly TableMapping[]; choices: MigrationOptions },
): ChangeApplier {
  const statements = new Map(tables.map((table) => [table.target, prepareStatements(db, table)]));
  const of = (table: TableMapping) => statements.get(table.target)!;
  const children = tables.filter(({ target, isSide }) => !isSide && CHILD_TABLES.includes(target));
  const aside = {
    put: db.prepare(
      `INSERT OR REPLACE INTO ${quoteIdentifier(QUARANTINE_TABLE)} ("source", "key", "why", "row") VALUES (?, ?, ?, ?)`,
    ),
    find: db
      .prepare(
        `SELECT "row" FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" = ? AND "key" = ?`,
      )
      .pluck(),
    remove: db.prepare(
      `DELETE FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" = ? AND "key" = ?`,
    ),
    ofUser: db
      .prepare(
        `SELECT "row" FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" = ? AND "why" = ? AND "row" ->> ? = ?`,
      )
      .pluck(),
    truncate: db.prepare(`DELETE FROM ${quoteIdentifier(QUARANTINE_TABLE)} WHERE "source" = ?`),
    first: db.prepare(
      `SELECT "source", "key", "why" FROM ${quoteIdentifier(QUARANTINE_TABLE)} LIMIT 1`,
    ),
  };
  // Hardly ever is one there: nothing is looked up then.
  let hasAside = aside.first.get() !== undefined;

  const keyIn = ({ key, columns }: TableMapping, row: RowPatch): SqliteValue[] =>
    key.map((name) => row[columns.findIndex((column) => column.name === name)] as SqliteValue);
  const asKey = (key: readonly SqliteValue[]) => key.map(String).join(" ");
  const valueOf = ({ columns }: TableMapping, row: RowPatch, name: string) =>
    row[columns.findIndex((column) => column.name === name)] as SqliteValue;

  function putAside(table: TableMapping, row: Row, why: string): void {
    aside.put.run(table.target, formatKey(table, row), why, JSON.stringify(toCanonicalTexts(row)));
    hasAside = true;
  }

  function refuse(table: TableMapping, key: string, why: string): AppError {
    return new AppError(
      "conflict",
      `${table.source} ${key}: ${why}. It was written since the copy. Mend it in the source if you like; then abort, and copy again, or copy again with --unfit aside.`,
    );
  }

  function isMissingParent(error: unknown): boolean {
    return (error as { code?: unknown }).code === "SQLITE_CONSTRAINT_FOREIGNKEY";
  }

  /** What SQLite refuses beyond that: said without values. */
  function asConflict(table: TableMapping, key: string, error: unknown): unknown {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return String(code).startsWith("SQLITE_CONSTRAINT")
      ? new AppError("conflict", `${table.source} ${key}: ${String(message)}`)
      : error;
  }

  function insert(table: TableMapping, row: Row): void {
    let why = table.isSide ? null : findInvalidReason(table, row);
    if (why === null) {
      try {
        of(table).insert.run(row);
      } catch (error) {
        if (!isMissingParent(error)) throw asConflict(table, formatKey(table, row), error);
        why = MISSING_PARENT_REASON;
      }
    }
    if (why === null) adoptChildren(table, row);
    else if (choices.unfit === "aside") putAside(table, row, why);
    else throw refuse(table, formatKey(table, row), why);
  }

  /** What was kept aside since this user was not there. */
  function adoptChildren(table: TableMapping, row: Row): void {
    if (!hasAside || table.target !== PARENT_TABLE) return;
    const id = valueOf(table, row, "id");
    for (const child of children) {
      const at = child.columns.findIndex(({ name }) => name === "userId");
      for (const text of aside.ofUser.all(
        child.target,
        MISSING_PARENT_REASON,
        `$[${at}]`,
        id,
      ) as string[]) {
        const kept = parseQuarantinedRow(child, text);
        aside.remove.run(child.target, formatKey(child, kept));
        insert(child, kept);
      }
    }
  }

  /** Before a user goes. */
  function orphanChildren(table: TableMapping, id: SqliteValue): void {
    if (table.target !== PARENT_TABLE || table.isSide) return;
    for (const child of children) {
      for (const row of of(child).ofUser(id)) {
        putAside(child, row, MISSING_PARENT_REASON);
        of(child).remove.run(keyIn(child, row));
      }
    }
  }

  function orphanAll(child: TableMapping): void {
    for (;;) {
      const rows = of(child).anyUsers();
      if (rows.length === 0) return;
      for (const row of rows) {
        putAside(child, row, MISSING_PARENT_REASON);
        of(child).remove.run(keyIn(child, row));
      }
    }
  }

  function update(table: TableMapping, key: readonly SqliteValue[], row: RowPatch): void {
    const text = asKey(key);
    const kept = hasAside ? (aside.find.get(table.target, text) as string | undefined) : undefined;
    if (kept !== undefined) {
      const before = parseQuarantinedRow(table, kept);
      aside.remove.run(table.target, text);
      return insert(
        table,
        row.map((value, i) => (value === undefined ? before[i]! : value)),
      );
    }
    const newKey = keyIn(table, row);
    // The id of a user never changes here, so what points at it could not follow (prisma/migrations, User_id_never_changes).
    const isMoved =
      table.target === PARENT_TABLE &&
      !table.isSide &&
      newKey[0] !== undefined &&
      newKey[0] !== key[0];
    // What was not sent is in the table, so it fits: any text stands for it.
    const why = table.isSide
      ? null
      : findInvalidReason(
          table,
          row.map((value) => (value === undefined ? "as it was" : value)),
        );
    if (why === null && !isMoved) {
      try {
        if (of(table).update(row, key) === 0)
          throw new AppError(
            "conflict",
            `${table.source} ${text} was changed in the source and is not in the copy. Abort, and copy again.`,
          );
        return;
      } catch (error) {
        if (!isMissingParent(error)) throw asConflict(table, text, error);
      }
    }
    const before = of(table).find(key);
    if (!before)
      throw new AppError(
        "conflict",
        `${table.source} ${text} was changed in the source and is not in the copy. Abort, and copy again.`,
      );
    orphanChildren(table, key[0]!);
    of(table).remove.run(key);
    insert(
      table,
      row.map((value, i) => (value === undefined ? before[i]! : value)),
    );
  }

  function remove(table: TableMapping, key: readonly SqliteValue[]): void {
    if (hasAside && aside.remove.run(table.target, asKey(key)).changes > 0) return;
    orphanChildren(table, key[0]!);
    of(table).remove.run(key);
  }

  return {
    insert,
    update,
    remove,
    upsert(table, row) {
      const key = keyIn(table, row);
      const isThere =
        of(table).find(key) !== undefined ||
        (hasAside && aside.find.get(table.target, asKey(key)) !== undefined);
      if (isThere) update(table, key, row);
      else insert(table, row);
    },
    truncate(emptied) {
      // Without foreign keys in the source those that point at users stay there: here they would go with them.
      if (emptied.some(({ target, isSide }) => target === PARENT_TABLE && !isSide))
        for (const child of children) if (!emptied.includes(child)) orphanAll(child);
      // Those that point at others first.
      for (const { target } of [...emptied].reverse()) {
        db.prepare(`DELETE FROM ${quoteIdentifier(target)}`).run();
        aside.truncate.run(target);
      }
    },
    endTransaction() {
      if (!hasAside) return;
      const left = aside.first.get() as { source: string; key: string; why: string } | undefined;
      if (left && choices.unfit !== "aside")
        throw refuse(
          tables.find(({ target }) => target === left.source)!,
          left.key,
          left.why,
        );
      hasAside = left !== undefined;
    },
  };
}
