// What the old site's writer was told is stored: every acknowledged state, to be looked for in the moved database.

import { createHash } from "node:crypto";
import Database from "better-sqlite3";

export type OldTable = "User" | "Session" | "Call" | "PostRead";

/** A row's columns as Postgres writes them in text, UTC; a call's recording is the MD5 of it. */
export type Image = Readonly<Record<string, string | null>>;

/** What a transaction does to a row: what it is afterwards, null if it is gone. */
export interface Change {
  readonly table: OldTable;
  readonly id: string;
  readonly row: Image | null;
  /** What it was, where the tally may not know it. */
  readonly before?: Image;
}

/** The rows of the moved database with these ids, dates in milliseconds, ids of sessions as SHA-256: as the new site keeps them. */
export type FindRows = (
  table: OldTable,
  ids: readonly string[],
) => Record<string, unknown>[] | Promise<Record<string, unknown>[]>;

export interface Counts {
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

export interface Tally extends Readonly<Counts> {
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
export interface KeptTally extends Tally {
  readonly counts: Counts;
  /** A row that was there before. */
  found(table: OldTable, row: Image): void;
  knows(table: OldTable, id: string): Image | null | undefined;
  /** `made` are all rows that the transaction made, also those that it took back. */
  acknowledged(
    kind: string,
    changes: Iterable<Change>,
    made: Iterable<Pick<Change, "table" | "id">>,
  ): void;
  /** They must not be there. */
  never(made: Iterable<Pick<Change, "table" | "id">>): void;
  unanswered(changes: Iterable<Change>, made: Iterable<Pick<Change, "table" | "id">>): void;
  /** What can't happen to a writer that is alone with its rows. */
  surprise(text: string): void;
}

const BATCH = 500;

const keyOf = (table: OldTable, id: string) => `${table} ${id}`;
const ofKey = (key: string) => key.split(" ") as [OldTable, string];
const DATES = new Set(["createdAt", "updatedAt", "expirationDate"]);

/** An empty one. */
export function createTally(): KeptTally {
  const counts: Counts = {
    committed: 0,
    kinds: {},
    rolledBack: 0,
    refused: 0,
    unknown: 0,
    startedAtMs: Date.now(),
    lastAcknowledgedAtMs: Date.now(),
    firstRefusedAtMs: null,
  };
  const rows = new Map<string, Image | null>();
  /** By transaction: what its rows were and would be. */
  const open: Map<string, { before: Image | null; after: Image | null }>[] = [];
  const surprises: string[] = [];

  function never(made: Iterable<Pick<Change, "table" | "id">>): void {
    for (const { table, id } of made)
      if (!rows.has(keyOf(table, id))) rows.set(keyOf(table, id), null);
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
    found: (table, row) => void rows.set(keyOf(table, row.id!), row),
    knows: (table, id) => rows.get(keyOf(table, id)),
    acknowledged(kind, changes, made) {
      counts.committed += 1;
      counts.kinds[kind] = (counts.kinds[kind] ?? 0) + 1;
      counts.lastAcknowledgedAtMs = Date.now();
      for (const { table, id, row } of changes) rows.set(keyOf(table, id), row);
      never(made);
    },
    never,
    unanswered(changes, made) {
      counts.unknown += 1;
      const states = new Map(
        [...changes].map(({ table, id, row, before }) => [
          keyOf(table, id),
          { before: rows.get(keyOf(table, id)) ?? before ?? null, after: row },
        ]),
      );
      for (const key of states.keys()) rows.delete(key);
      open.push(states);
      never([...made].filter(({ table, id }) => !states.has(keyOf(table, id))));
    },
    surprise: (text) => void surprises.push(text),
    check,
  });
}

/** `rest` with the counts as they are at the moment they are read. */
function withAccessors(counts: Counts, rest: Omit<KeptTally, keyof Counts>): KeptTally {
  return Object.defineProperties(
    rest,
    Object.fromEntries(
      Object.keys(counts).map((name) => [
        name,
        { enumerable: true, get: () => counts[name as keyof Counts] },
      ]),
    ),
  ) as KeptTally;
}

async function findAll(
  find: FindRows,
  keys: readonly string[],
): Promise<Map<string, Record<string, unknown>>> {
  const found = new Map<string, Record<string, unknown>>();
  const byTable = Map.groupBy(new Set(keys), (key) => ofKey(key)[0]);
  for (const [table, ofTable] of byTable) {
    for (let at = 0; at < ofTable.length; at += BATCH) {
      const batch = new Map(
        ofTable.slice(at, at + BATCH).map((key) => [targetId(table, ofKey(key)[1]), key]),
      );
      for (const row of await find(table, [...batch.keys()]))
        found.set(batch.get(String(row.id))!, row);
    }
  }
  return found;
}

const targetId = (table: OldTable, id: string) =>
  table === "Session" ? createHash("sha256").update(id).digest("hex") : id;

/** What is wrong with a row; null if it is as it must be. Its values are not told. */
function compare(row: Image | null, there: Record<string, unknown> | undefined): string | null {
  if (row === null) return there ? "is there, though it was deleted or never made" : null;
  if (!there) return "is not there, though that was acknowledged";
  const different = Object.entries(row).filter(
    ([name, value]) =>
      name !== "id" &&
      asKept(name, value) !==
        (name === "base64" ? md5(String(there[name])) : (there[name] ?? null)),
  );
  return different.length > 0
    ? `is not as acknowledged: ${different.map(([name]) => name).join(", ")}`
    : null;
}

/** By other means than lib/migrate/convert.ts: it is what is tested. */
function asKept(name: string, value: string | null): unknown {
  return value !== null && DATES.has(name)
    ? Date.parse(`${value.replace(" ", "T").replace(/\+00$/, "")}Z`)
    : value;
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** The rows of a SQLite file; `close` closes it. */
export function findInFile(file: string): { find: FindRows; close(): void } {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  return {
    find: (table, ids) =>
      db
        .prepare(`SELECT * FROM "${table}" WHERE "id" IN (SELECT value FROM json_each(?))`)
        .all(JSON.stringify(ids)) as Record<string, unknown>[],
    close: () => void db.close(),
  };
}
