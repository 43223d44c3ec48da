// Verifies that copy and source are equal by counts and checksums of all rows, and by a sample
// compared field by field. Lists rows that differ.

import Database from "better-sqlite3";
import type pg from "pg";
import { AppError } from "#lib/core/errors.ts";
import { hashSecret } from "#lib/core/secret.ts";
import {
  type FieldDifference,
  compareSample,
  createRowFinder,
  findSourceRow,
  listDifferingColumns,
} from "./compare-sample.ts";
import { type RowDifference, findDifferences } from "./find-differences.ts";
import { countQuarantined } from "./quarantine.ts";
import type { HashKind } from "./row-hash.ts";
import { createAbortedError, withSourceDeadline } from "./source-connection.ts";
import {
  CHECKSUM_TIMEOUT_MS,
  type FileChecksums,
  type TableChecksum,
  allOrAbort,
  checksumFile,
  checksumSource,
  chooseHashKind,
} from "./table-checksums.ts";
import { KNOWN_TABLES, type TableMapping } from "./table-mapping.ts";

const MAX_NAMED_DIFFERENCES = 10;
/** Rows per table and side that are compared field by field. */
const SAMPLE_ROWS = 200;

export interface NamedDifference {
  /** As in the target. */
  readonly key: string;
  readonly kind: "missing" | "extra" | "different";
  /** Columns that differ; empty for a row that is both in its table and in quarantine. */
  readonly columns: readonly string[];
}

export interface VerifiedTable {
  readonly target: string;
  readonly source: { readonly rows: number; readonly sum: string };
  /** Including quarantined rows. */
  readonly file: { readonly rows: number; readonly sum: string };
  /** Rows in quarantine, which the site does not show. */
  readonly quarantined: number;
  /** Rows compared field by field. */
  readonly sampled: number;
  readonly isEqual: boolean;
  /** How many rows differ; null if the table has no key to match them by. */
  readonly differingRows: number | null;
  /** The first ten differing rows, in key order. */
  readonly differences: readonly NamedDifference[];
}

export interface Verification {
  readonly tables: readonly VerifiedTable[];
  /** Other problems of the file, such as broken foreign keys, in sentences. */
  readonly problems: readonly string[];
  /** All tables are equal, and there are no problems. */
  readonly isEqual: boolean;
  /** Milliseconds for the checksums alone. */
  readonly sumMs: number;
  readonly ms: number;
}

export interface VerifyOptions {
  /**
   * In a transaction with the snapshot to compare. Closed when this throws AppError(unavailable).
   */
  readonly source: pg.Client;
  readonly tables: readonly TableMapping[];
  readonly file: string;
  readonly sample?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { table: string; rows: number; total: number }) => void;
}

/**
 * Compares all rows. Returns differences instead of throwing. Throws AppError(unavailable) if the
 * source is lost or `signal` aborts, AppError(conflict) if the file cannot be read.
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
  // In parallel, the server hashes its rows and worker threads hash the file's.
  const [fileChecksums, sourceSums] = await allOrAbort<[FileChecksums, TableChecksum[]]>(
    [
      (either) => checksumFile({ file, tables, kind, signal: either, onProgress }),
      async (either) => {
        const sums: TableChecksum[] = [];
        for (const table of tables)
          sums.push(
            await withSourceDeadline(source, () => checksumSource(source, table, kind), {
              ms: CHECKSUM_TIMEOUT_MS,
              signal: either,
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
      const [fileSum, sourceSum] = [fileChecksums.sums[i]!, sourceSums[i]!];
      const { sampled, differences: sampleDifferences } = await withSourceDeadline(
        source,
        () => compareSample(source, db, table, sample, { canQueryKeys: kind === "native" }),
        { signal },
      );
      const isEqual =
        fileSum.rows === sourceSum.rows &&
        fileSum.sum === sourceSum.sum &&
        sampleDifferences.length === 0;
      verified.push({
        target: table.target,
        source: { rows: sourceSum.rows, sum: sourceSum.sum },
        file: { rows: fileSum.rows, sum: fileSum.sum },
        quarantined: countQuarantined(db, table),
        sampled,
        isEqual,
        ...(isEqual
          ? { differingRows: 0, differences: [] }
          : await nameDifferences({ source, db, table, kind, sampleDifferences, signal })),
      });
    }
    const { problems } = fileChecksums;
    return {
      tables: verified,
      problems,
      isEqual: problems.length === 0 && verified.every((table) => table.isEqual),
      sumMs,
      ms: performance.now() - startedMs,
    };
  } finally {
    db.close();
  }
}

function openReadOnly(file: string): Database.Database {
  try {
    return new Database(file, { readonly: true, timeout: 10_000 });
  } catch (error) {
    throw new AppError(
      "conflict",
      `${file} cannot be read: ${String((error as { code?: unknown }).code)}`,
    );
  }
}

interface NameDifferencesOptions {
  readonly source: pg.Client;
  readonly db: Database.Database;
  readonly table: TableMapping;
  readonly kind: HashKind;
  readonly sampleDifferences: readonly FieldDifference[];
  readonly signal?: AbortSignal;
}

async function nameDifferences({
  source,
  db,
  table,
  kind,
  sampleDifferences,
  signal,
}: NameDifferencesOptions): Promise<Pick<VerifiedTable, "differingRows" | "differences">> {
  if (table.key.length === 0) return { differingRows: null, differences: [] };
  let count = 0;
  const first: RowDifference[] = [];
  // Reads to the end, since aborting a COPY closes its connection.
  for await (const difference of findDifferences({ source, db, table, kind, signal })) {
    count += 1;
    if (first.length < MAX_NAMED_DIFFERENCES) first.push(difference);
  }
  // The sample differs although all hashes are equal. That is a bug in the hashes, and must be
  // reported.
  if (count === 0)
    return {
      differingRows: sampleDifferences.length,
      differences: sampleDifferences
        .slice(0, MAX_NAMED_DIFFERENCES)
        .map(({ key, ...rest }) => ({ key: formatReportedKey(table, key), ...rest })),
    };
  const findFileRow = createRowFinder(db, table);
  const differences: NamedDifference[] = [];
  for (const { key, sourceKey, kind: difference } of first) {
    if (signal?.aborted) throw createAbortedError();
    const sourceRow =
      difference === "different" && sourceKey
        ? await withSourceDeadline(source, () => findSourceRow(source, table, sourceKey), {
            signal,
          })
        : null;
    const fileRow = sourceRow && findFileRow(key);
    differences.push({
      key: formatReportedKey(table, key),
      kind: difference,
      columns: sourceRow && fileRow ? listDifferingColumns(table, fileRow, sourceRow) : [],
    });
  }
  return { differingRows: count, differences };
}

/**
 * Formats a key for a report. Hashes possible secrets: unhashed session ids, and keys of unknown
 * tables.
 */
function formatReportedKey(
  { key: names, columns, source, isSide }: TableMapping,
  key: readonly string[],
): string {
  if (isSide && !KNOWN_TABLES.some((known) => known.source === source))
    return `SHA-256 ${hashSecret(key.join(" "))}`;
  return key
    .map((text, i) =>
      columns.find(({ name }) => name === names[i])?.as === "session-id" &&
      !/^[0-9a-f]{64}$/.test(text)
        ? hashSecret(text)
        : text,
    )
    .join(" ");
}
