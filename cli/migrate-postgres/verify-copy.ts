// Whether the copy and the source are the same: every row by number and sum of hashes, a sample field by field, and which rows differ if not.

import Database from "better-sqlite3";
import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import { hashSessionId } from "#lib/members/session/hash-session-id.ts";
import {
  type FileChecksums,
  type TableChecksum,
  allOrAbort,
  withSourceDeadline,
  chooseHashKind,
  createAbortedError,
  checksumFile,
  checksumSource,
  CHECKSUM_TIMEOUT_MS,
} from "./table-checksums.ts";
import { findDifferences } from "./find-differences.ts";
import { QUARANTINE_TABLE, KNOWN_TABLES, type TableMapping } from "./table-mapping.ts";
import type { HashKind } from "./row-hash.ts";
import {
  type FieldDifference,
  compareSample,
  createRowFinder,
  listDifferingColumns,
  findSourceRow,
} from "./compare-sample.ts";

/** How many differing rows of a table are named. */
const MAX_NAMED_DIFFERENCES = 10;
/** How many rows of a table are taken from either side to be compared field by field. */
const SAMPLE_ROWS = 200;

export interface NamedDifference {
  /** As the target has it. */
  readonly key: string;
  readonly kind: "missing" | "extra" | "different";
  /** Where both sides have the row: the columns that differ; empty where the row is in its table and aside. */
  readonly columns: readonly string[];
}

export interface VerifiedTable {
  readonly target: string;
  readonly source: { readonly rows: number; readonly sum: string };
  /** Rows that were put aside included. */
  readonly file: { readonly rows: number; readonly sum: string };
  /** How many of the file's rows are kept aside, in Moved_aside: the site does not have them. */
  readonly aside: number;
  /** Rows that were compared field by field. */
  readonly sampled: number;
  readonly equal: boolean;
  /** How many rows are not the same; null where the table has no key and they can't be told. */
  readonly differing: number | null;
  /** At most ten of them, the first by their keys. */
  readonly differences: readonly NamedDifference[];
}

export interface Verification {
  readonly tables: readonly VerifiedTable[];
  /** What is wrong with the file beyond the rows of a table (rows that point at nothing), in sentences. */
  readonly problems: readonly string[];
  /** Every table is equal, and there are no problems. */
  readonly equal: boolean;
  /** The checksums alone; the whole comparison. */
  readonly sumMs: number;
  readonly ms: number;
}

export interface VerifyOptions {
  /** In a transaction that sees the state to compare with. Given up when this throws AppError(unavailable). */
  readonly source: pg.Client;
  readonly tables: readonly TableMapping[];
  readonly file: string;
  readonly sample?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { table: string; rows: number; total: number }) => void;
}

/**
 * Compares all rows. Throws AppError(unavailable) where the source is lost or `signal` ends it, AppError(conflict) where the file can't be read;
 * differences are no error.
 */
export async function verifyCopy({
  source,
  tables,
  file,
  sample = SAMPLE_ROWS,
  signal,
  onProgress,
}: VerifyOptions): Promise<Verification> {
  const startedMs = performance.now();
  const kind = await withSourceDeadline(source, () => chooseHashKind(source), { signal });
  // Neither waits for the other: the server hashes in its processes, threads of ours the file.
  const [ours, theirs] = await allOrAbort<[FileChecksums, TableChecksum[]]>(
    [
      (end) => checksumFile({ file, tables, kind, signal: end, onProgress }),
      async (end) => {
        const sums: TableChecksum[] = [];
        for (const table of tables)
          sums.push(
            await withSourceDeadline(source, () => checksumSource(source, table, kind), {
              ms: CHECKSUM_TIMEOUT_MS,
              signal: end,
            }),
          );
        return sums;
      },
    ],
    signal,
  );
  const sumMs = performance.now() - startedMs;
  const db = openReadOnly(file);
  try {
    const verified: VerifiedTable[] = [];
    for (const [i, table] of tables.entries()) {
      const [own, their] = [ours.sums[i]!, theirs[i]!];
      const { sampled, wrong } = await withSourceDeadline(
        source,
        () => compareSample(source, db, table, sample, { isAskable: kind === "native" }),
        { signal },
      );
      const equal = own.rows === their.rows && own.sum === their.sum && wrong.length === 0;
      const named = equal
        ? { differing: 0, differences: [] }
        : await nameDifferences({ source, db, table, kind, wrong, signal });
      verified.push({
        target: table.target,
        source: { rows: their.rows, sum: their.sum },
        file: { rows: own.rows, sum: own.sum },
        aside: countQuarantined(db, table),
        sampled,
        equal,
        ...named,
      });
    }
    return {
      tables: verified,
      problems: ours.problems,
      equal: ours.problems.length === 0 && verified.every(({ equal }) => equal),
      sumMs,
      ms: performance.now() - startedMs,
    };
  } finally {
    db.close();
  }
}

function countQuarantined(db: Database.Database, { target }: TableMapping): number {
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(QUARANTINE_TABLE) === undefined)
    return 0;
  return db
    .prepare(`SELECT count(*) FROM "${QUARANTINE_TABLE}" WHERE "source" = ?`)
    .pluck()
    .get(target) as number;
}

function openReadOnly(file: string): Database.Database {
  try {
    return new Database(file, { readonly: true, timeout: 10_000 });
  } catch (error) {
    throw new AppError(
      "conflict",
      `${file} can't be read: ${String((error as { code?: unknown }).code)}`,
    );
  }
}

interface NameDifferencesOptions {
  readonly source: pg.Client;
  readonly db: Database.Database;
  readonly table: TableMapping;
  readonly kind: HashKind;
  /** What the sample found already. */
  readonly wrong: readonly FieldDifference[];
  readonly signal?: AbortSignal;
}

async function nameDifferences({
  source,
  db,
  table,
  kind,
  wrong,
  signal,
}: NameDifferencesOptions): Promise<Pick<VerifiedTable, "differing" | "differences">> {
  if (table.key.length === 0) return { differing: null, differences: [] };
  let count = 0;
  const first: {
    key: readonly string[];
    sourceKey: readonly string[] | null;
    kind: NamedDifference["kind"];
  }[] = [];
  // Read to the end: a COPY that is broken off takes its connection with it.
  for await (const difference of findDifferences({ source, db, table, kind, signal })) {
    count += 1;
    if (first.length < MAX_NAMED_DIFFERENCES) first.push(difference);
  }
  // A sample that differs where no hash does: the two must be told of all the same.
  if (count === 0)
    return {
      differing: wrong.length,
      differences: wrong
        .slice(0, MAX_NAMED_DIFFERENCES)
        .map(({ key, ...rest }) => ({ key: formatReportedKey(table, key), ...rest })),
    };
  const find = createRowFinder(db, table);
  const differences: NamedDifference[] = [];
  for (const { key, sourceKey, kind: how } of first) {
    if (signal?.aborted) throw createAbortedError();
    const theirs =
      how === "different" && sourceKey
        ? await withSourceDeadline(source, () => findSourceRow(source, table, sourceKey), {
            signal,
          })
        : null;
    const own = theirs && find(key);
    differences.push({
      key: formatReportedKey(table, key),
      kind: how,
      columns: theirs && own ? listDifferingColumns(table, own, theirs) : [],
    });
  }
  return { differing: count, differences };
}

/** The key as a report may tell it: should a session's own id stand in the file, then hashed. */
function formatReportedKey(
  { key: names, columns, source, isSide }: TableMapping,
  key: readonly string[],
): string {
  // Nobody knows here what the key of an unknown table is: it may be a secret, such as a token.
  if (isSide && !KNOWN_TABLES.some((known) => known.source === source))
    return `SHA-256 ${hashSessionId(key.join(" "))}`;
  return key
    .map((text, i) =>
      columns.find(({ name }) => name === names[i])?.as === "session-id" &&
      !/^[0-9a-f]{64}$/.test(text)
        ? hashSessionId(text)
        : text,
    )
    .join(" ");
}
