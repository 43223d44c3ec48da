// Opens the database of the site under test, for tests that read or write it directly.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Tx } from "#lib/db/database.ts";
import { fetchJson } from "#tests/support/fetch-json.ts";
import { writeTo } from "#tests/support/write-to.ts";
import { CONTROL_PORT, DATA_DIR, IS_CLUSTER } from "./site-under-test.ts";

const SYNC_TIMEOUT_MS = 10_000;

/** The database files in the mounts of the primary, and of the replica behind the edge in ams. */
export interface ClusterDatabaseFiles {
  readonly primary: string;
  readonly replica: string;
}

/** The caller closes it. */
export async function openSiteDatabase(): Promise<Database.Database> {
  if (!IS_CLUSTER) return new Database(join(DATA_DIR, "lectern.db"), { timeout: 5_000 });
  return openOnPrimary(await fetchDatabaseFiles());
}

/**
 * Runs `fn` in one transaction on the file of `db`, through Prisma, and returns its result. On a
 * cluster, resolves once the replica has the transaction, or throws after ten seconds.
 */
export async function writeToSite<T>(
  db: Database.Database,
  fn: (tx: Tx) => Promise<T> | T,
): Promise<T> {
  const value = await writeTo(db.name, fn);
  if (IS_CLUSTER) {
    const { primary, replica } = await fetchDatabaseFiles();
    waitUntilInSync(primary, replica);
  }
  return value;
}

const fetchDatabaseFiles = () =>
  fetchJson<ClusterDatabaseFiles>(`http://127.0.0.1:${CONTROL_PORT}/database-files`);

/**
 * Opens the primary's file. Each write returns once the replica has it, or throws after ten
 * seconds, so pages show it. It blocks this thread meanwhile, so don't use it in the process that
 * runs the cluster's network.
 */
function openOnPrimary({ primary, replica }: ClusterDatabaseFiles): Database.Database {
  const db = new Database(primary, { timeout: 5_000 });
  const waitForReplica = () => {
    if (!db.inTransaction) waitUntilInSync(primary, replica);
  };
  const prepare = db.prepare.bind(db) as (text: string) => Database.Statement;
  const transaction = db.transaction.bind(db);
  const overrides = {
    prepare(text: string) {
      const statement = prepare(text);
      const run = statement.run.bind(statement);
      statement.run = (...values) => {
        const result = run(...values);
        waitForReplica();
        return result;
      };
      return statement;
    },
    transaction(fn: (...values: unknown[]) => unknown) {
      const run = transaction(fn);
      return (...values: unknown[]) => {
        const result = run(...values);
        waitForReplica();
        return result;
      };
    },
  };
  return Object.assign(db, overrides as unknown as Database.Database);
}

const readPosition = (file: string) => readFileSync(`${file}-pos`, "utf8").trim();

/**
 * Blocks until the replica has the primary's transaction. Positions are fixed-length hex, so
 * strings compare like numbers.
 */
function waitUntilInSync(primary: string, replica: string): void {
  const target = readPosition(primary);
  const endMs = performance.now() + SYNC_TIMEOUT_MS;
  while (readPosition(replica) < target) {
    if (performance.now() > endMs)
      throw new Error(
        `${replica} is at ${readPosition(replica)}, not at ${target}, after ${SYNC_TIMEOUT_MS} ms.`,
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}
