// Records every state that the source acknowledged to the writer, and checks a migrated database
// against it.

import { createHash } from "node:crypto";
import Database from "better-sqlite3";

export type SourceTable = "User" | "Session" | "Call" | "PostRead";

/** A row's columns as PostgreSQL text, in UTC. A recording is replaced by its MD5 hash. */
export type RowImage = Readonly<Record<string, string | null>>;

/** A row after a transaction; null if it was deleted. */
export interface RowChange {
  readonly table: SourceTable;
  readonly id: string;
  readonly row: RowImage | null;
  /** The row before the transaction, if the ledger may not know it. */
  readonly before?: RowImage;
}

/** Finds rows by id, as this site stores them: dates in milliseconds, session ids as SHA-256. */
export type FindRows = (
  table: SourceTable,
  ids: readonly string[],
) => Record<string, unknown>[] | Promise<Record<string, unknown>[]>;

export interface LedgerCounts {
  /** Acknowledged transactions, in total and by kind. */
  committed: number;
  readonly kinds: Record<string, number>;
  /** Transactions that the writer itself rolled back. */
  rolledBack: number;
  /** Transactions that certainly failed: read-only, no connection, terminated before COMMIT. */
  refused: number;
  /** Transactions whose COMMIT was sent but not acknowledged. */
  unknown: number;
  /**
   * Date.now() at the first transaction's start, the last acknowledgment, and the first refusal.
   */
  startedAtMs: number;
  lastAcknowledgedAtMs: number;
  firstRefusedAtMs: number | null;
}

export interface Ledger extends Readonly<LedgerCounts> {
  /** Acknowledged transactions per second, up to the last one. */
  readonly perSecond: number;
  /** How many rows it has recorded. */
  readonly rows: number;
  /**
   * Returns one sentence per row that is missing, wrong, or present although it was rolled back;
   * empty if all rows are correct. An unacknowledged transaction may be present or not, but only
   * completely.
   */
  check(find: FindRows): Promise<string[]>;
}

/** The ledger as the writer sees it. */
export interface WritableLedger extends Ledger {
  readonly counts: LedgerCounts;
  /** Records a row that existed before the writer started. */
  recordExisting(table: SourceTable, row: RowImage): void;
  findKnownRow(table: SourceTable, id: string): RowImage | null | undefined;
  /** `created` are all rows that the transaction inserted, including those it rolled back. */
  recordAcknowledged(
    kind: string,
    changes: Iterable<RowChange>,
    created: Iterable<Pick<RowChange, "table" | "id">>,
  ): void;
  /** Records rows that must not exist. */
  recordAbsent(created: Iterable<Pick<RowChange, "table" | "id">>): void;
  recordUnanswered(
    changes: Iterable<RowChange>,
    created: Iterable<Pick<RowChange, "table" | "id">>,
  ): void;
  /** Records an outcome that is impossible for a writer that owns its rows. */
  recordAnomaly(text: string): void;
}

const BATCH = 500;

const formatKey = (table: SourceTable, id: string) => `${table} ${id}`;
const parseKey = (key: string) => key.split(" ") as [SourceTable, string];
const DATES = new Set(["createdAt", "updatedAt", "expirationDate"]);

export function createLedger(): WritableLedger {
  const counts: LedgerCounts = {
    committed: 0,
    kinds: {},
    rolledBack: 0,
    refused: 0,
    unknown: 0,
    startedAtMs: Date.now(),
    lastAcknowledgedAtMs: Date.now(),
    firstRefusedAtMs: null,
  };
  const rows = new Map<string, RowImage | null>();
  /** The rows before and after each unacknowledged transaction. */
  const unanswered: Map<string, { before: RowImage | null; after: RowImage | null }>[] = [];
  const anomalies: string[] = [];

  function recordAbsent(created: Iterable<Pick<RowChange, "table" | "id">>): void {
    for (const { table, id } of created)
      if (!rows.has(formatKey(table, id))) rows.set(formatKey(table, id), null);
  }

  async function check(find: FindRows): Promise<string[]> {
    const problems = [...anomalies];
    const stored = await findAll(find, [
      ...rows.keys(),
      ...unanswered.flatMap((changes) => [...changes.keys()]),
    ]);
    for (const [key, row] of rows) {
      const problem = compare(row, stored.get(key));
      if (problem) problems.push(`${key} ${problem}`);
    }
    for (const changes of unanswered) {
      // Rows with a later acknowledged state are checked above.
      const unresolved = [...changes].filter(([key]) => !rows.has(key));
      const [isBefore, isAfter] = (["before", "after"] as const).map((when) =>
        unresolved.every(([key, states]) => compare(states[when], stored.get(key)) === null),
      );
      if (!isBefore && !isAfter)
        problems.push(
          `An unanswered transaction is partly there: ${unresolved.map(([key]) => key).join(", ")}`,
        );
    }
    return problems;
  }

  return withAccessors(counts, {
    counts,
    get perSecond() {
      return (
        counts.committed /
        Math.max(0.001, (counts.lastAcknowledgedAtMs - counts.startedAtMs) / 1000)
      );
    },
    get rows() {
      return rows.size;
    },
    recordExisting: (table, row) => void rows.set(formatKey(table, row.id!), row),
    findKnownRow: (table, id) => rows.get(formatKey(table, id)),
    recordAcknowledged(kind, changes, created) {
      counts.committed += 1;
      counts.kinds[kind] = (counts.kinds[kind] ?? 0) + 1;
      counts.lastAcknowledgedAtMs = Date.now();
      for (const { table, id, row } of changes) rows.set(formatKey(table, id), row);
      recordAbsent(created);
    },
    recordAbsent,
    recordUnanswered(changes, created) {
      counts.unknown += 1;
      const states = new Map(
        [...changes].map(({ table, id, row, before }) => [
          formatKey(table, id),
          { before: rows.get(formatKey(table, id)) ?? before ?? null, after: row },
        ]),
      );
      for (const key of states.keys()) rows.delete(key);
      unanswered.push(states);
      recordAbsent([...created].filter(({ table, id }) => !states.has(formatKey(table, id))));
    },
    recordAnomaly: (text) => void anomalies.push(text),
    check,
  });
}

/** Adds getters for the current counts to `rest`. */
function withAccessors(
  counts: LedgerCounts,
  rest: Omit<WritableLedger, keyof LedgerCounts>,
): WritableLedger {
  return Object.defineProperties(
    rest,
    Object.fromEntries(
      Object.keys(counts).map((name) => [
        name,
        { enumerable: true, get: () => counts[name as keyof LedgerCounts] },
      ]),
    ),
  ) as WritableLedger;
}

async function findAll(
  find: FindRows,
  keys: readonly string[],
): Promise<Map<string, Record<string, unknown>>> {
  const rows = new Map<string, Record<string, unknown>>();
  const byTable = Map.groupBy(new Set(keys), (key) => parseKey(key)[0]);
  for (const [table, ofTable] of byTable) {
    for (let at = 0; at < ofTable.length; at += BATCH) {
      const batch = new Map(
        ofTable.slice(at, at + BATCH).map((key) => [targetId(table, parseKey(key)[1]), key]),
      );
      for (const row of await find(table, [...batch.keys()]))
        rows.set(batch.get(String(row.id))!, row);
    }
  }
  return rows;
}

const targetId = (table: SourceTable, id: string) =>
  table === "Session" ? createHash("sha256").update(id).digest("hex") : id;

/** Returns what is wrong with a row, without its values, or null. */
function compare(row: RowImage | null, stored: Record<string, unknown> | undefined): string | null {
  if (row === null) return stored ? "exists, though it was deleted or never created" : null;
  if (!stored) return "is missing, though it was acknowledged";
  const different = Object.entries(row).filter(
    ([name, value]) =>
      name !== "id" &&
      toTargetValue(name, value) !==
        (name === "base64" ? md5(String(stored[name])) : (stored[name] ?? null)),
  );
  return different.length > 0
    ? `differs from what was acknowledged: ${different.map(([name]) => name).join(", ")}`
    : null;
}

/**
 * Converts a value as a migration should. Independent of cli/migrate-postgres/convert-values.ts,
 * which it tests.
 */
function toTargetValue(name: string, value: string | null): unknown {
  return value !== null && DATES.has(name)
    ? Date.parse(`${value.replace(" ", "T").replace(/\+00$/, "")}Z`)
    : value;
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** Opens a SQLite file for reading. */
export function openTargetRows(file: string): { find: FindRows; close(): void } {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  return {
    find: (table, ids) =>
      db
        .prepare(`SELECT * FROM "${table}" WHERE "id" IN (SELECT value FROM json_each(?))`)
        .all(JSON.stringify(ids)) as Record<string, unknown>[],
    close: () => void db.close(),
  };
}
