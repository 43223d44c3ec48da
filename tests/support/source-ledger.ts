// What the old site's writer was told is stored: every acknowledged state, to be looked for in the moved database.

import { createHash } from "node:crypto";
import Database from "better-sqlite3";

export type SourceTable = "User" | "Session" | "Call" | "PostRead";

/** A row's columns as Postgres writes them in text, UTC; a call's recording is the MD5 of it. */
export type RowImage = Readonly<Record<string, string | null>>;

/** What a transaction does to a row: what it is afterwards, null if it is gone. */
export interface RowChange {
  readonly table: SourceTable;
  readonly id: string;
  readonly row: RowImage | null;
  /** What it was, where the tally may not know it. */
  readonly before?: RowImage;
}

/** The rows of the moved database with these ids, dates in milliseconds, ids of sessions as SHA-256: as the new site keeps them. */
export type FindRows = (
  table: SourceTable,
  ids: readonly string[],
) => Record<string, unknown>[] | Promise<Record<string, unknown>[]>;

export interface LedgerCounts {
  /** Transactions whose end was acknowledged, and of which kind they were. */
  committed: number;
  readonly kinds: Record<string, number>;
  /** Transactions that the writer itself rolled back. */
  rolledBack: number;
  /** Transactions that certainly did not happen: read-only, no connection, ended before COMMIT was sent. */
  refused: number;
  /** Transactions whose COMMIT was sent and never answered. */
  unknown: number;
  /** Date.now() of the first transaction that began, of the last acknowledgement, and of the first refusal. */
  startedAtMs: number;
  lastAcknowledgedAtMs: number;
  firstRefusedAtMs: number | null;
}

export interface Ledger extends Readonly<LedgerCounts> {
  /** Acknowledged transactions a second, up to the last of them. */
  readonly perSecond: number;
  /** Rows about which it knows something. */
  readonly rows: number;
  /**
   * Whether what was acknowledged, and nothing that was rolled back or refused, is in a database. Returns one sentence for each
   * row that is not as it must be; none when all is well. What was never answered may be there or not, but only as a whole.
   */
  check(find: FindRows): Promise<string[]>;
}

/** A tally that the writer keeps. */
export interface WritableLedger extends Ledger {
  readonly counts: LedgerCounts;
  /** A row that was there before. */
  recordExisting(table: SourceTable, row: RowImage): void;
  findKnownRow(table: SourceTable, id: string): RowImage | null | undefined;
  /** `made` are all rows that the transaction made, also those that it took back. */
  recordAcknowledged(
    kind: string,
    changes: Iterable<RowChange>,
    made: Iterable<Pick<RowChange, "table" | "id">>,
  ): void;
  /** They must not be there. */
  recordAbsent(made: Iterable<Pick<RowChange, "table" | "id">>): void;
  recordUnanswered(
    changes: Iterable<RowChange>,
    made: Iterable<Pick<RowChange, "table" | "id">>,
  ): void;
  /** What can't happen to a writer that is alone with its rows. */
  recordAnomaly(text: string): void;
}

const BATCH = 500;

const formatKey = (table: SourceTable, id: string) => `${table} ${id}`;
const parseKey = (key: string) => key.split(" ") as [SourceTable, string];
const DATES = new Set(["createdAt", "updatedAt", "expirationDate"]);

/** An empty one. */
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
  /** By transaction: what its rows were and would be. */
  const open: Map<string, { before: RowImage | null; after: RowImage | null }>[] = [];
  const surprises: string[] = [];

  function never(made: Iterable<Pick<RowChange, "table" | "id">>): void {
    for (const { table, id } of made)
      if (!rows.has(formatKey(table, id))) rows.set(formatKey(table, id), null);
  }

  async function check(find: FindRows): Promise<string[]> {
    const wrong = [...surprises];
    const there = await findAll(find, [
      ...rows.keys(),
      ...open.flatMap((changes) => [...changes.keys()]),
    ]);
    for (const [key, row] of rows) {
      const problem = compare(row, there.get(key));
      if (problem) wrong.push(`${key} ${problem}`);
    }
    for (const changes of open) {
      // A later transaction that was answered says more.
      const left = [...changes].filter(([key]) => !rows.has(key));
      const [isBefore, isAfter] = (["before", "after"] as const).map((when) =>
        left.every(([key, states]) => compare(states[when], there.get(key)) === null),
      );
      if (!isBefore && !isAfter)
        wrong.push(
          `An unanswered transaction is there in part: ${left.map(([key]) => key).join(", ")}`,
        );
    }
    return wrong;
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
    recordAcknowledged(kind, changes, made) {
      counts.committed += 1;
      counts.kinds[kind] = (counts.kinds[kind] ?? 0) + 1;
      counts.lastAcknowledgedAtMs = Date.now();
      for (const { table, id, row } of changes) rows.set(formatKey(table, id), row);
      never(made);
    },
    recordAbsent: never,
    recordUnanswered(changes, made) {
      counts.unknown += 1;
      const states = new Map(
        [...changes].map(({ table, id, row, before }) => [
          formatKey(table, id),
          { before: rows.get(formatKey(table, id)) ?? before ?? null, after: row },
        ]),
      );
      for (const key of states.keys()) rows.delete(key);
      open.push(states);
      never([...made].filter(({ table, id }) => !states.has(formatKey(table, id))));
    },
    recordAnomaly: (text) => void surprises.push(text),
    check,
  });
}

/** `rest` with the counts as they are at the moment they are read. */
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
  const found = new Map<string, Record<string, unknown>>();
  const byTable = Map.groupBy(new Set(keys), (key) => parseKey(key)[0]);
  for (const [table, ofTable] of byTable) {
    for (let at = 0; at < ofTable.length; at += BATCH) {
      const batch = new Map(
        ofTable.slice(at, at + BATCH).map((key) => [targetId(table, parseKey(key)[1]), key]),
      );
      for (const row of await find(table, [...batch.keys()]))
        found.set(batch.get(String(row.id))!, row);
    }
  }
  return found;
}

const targetId = (table: SourceTable, id: string) =>
  table === "Session" ? createHash("sha256").update(id).digest("hex") : id;

/** What is wrong with a row; null if it is as it must be. Its values are not told. */
function compare(row: RowImage | null, there: Record<string, unknown> | undefined): string | null {
  if (row === null) return there ? "is there, though it was deleted or never made" : null;
  if (!there) return "is not there, though that was acknowledged";
  const different = Object.entries(row).filter(
    ([name, value]) =>
      name !== "id" &&
      toTargetValue(name, value) !==
        (name === "base64" ? md5(String(there[name])) : (there[name] ?? null)),
  );
  return different.length > 0
    ? `is not as acknowledged: ${different.map(([name]) => name).join(", ")}`
    : null;
}

/** By other means than cli/migrate-postgres/convert-values.ts: it is what is tested. */
function toTargetValue(name: string, value: string | null): unknown {
  return value !== null && DATES.has(name)
    ? Date.parse(`${value.replace(" ", "T").replace(/\+00$/, "")}Z`)
    : value;
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** The rows of a SQLite file; `close` closes it. */
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
