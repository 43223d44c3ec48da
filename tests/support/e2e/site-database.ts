// The database of the site under test, for tests that look into it or write past the site.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { CONTROL_PORT, DATA_DIR, IS_CLUSTER } from "./site-under-test.ts";

const SYNC_TIMEOUT_MS = 10_000;

/** What tests/support/cluster/members-server.ts tells of the cluster. */
export interface ClusterDatabaseFiles {
  /** The database files in the mounts of the primary, and of the replica that the edge in ams asks. */
  readonly primary: string;
  readonly replica: string;
}

/** Opens it. Close it after use. */
export async function openSiteDatabase(): Promise<Database.Database> {
  if (!IS_CLUSTER) return new Database(join(DATA_DIR, "lectern.db"), { timeout: 5_000 });
  const where = (await (
    await fetch(`http://127.0.0.1:${CONTROL_PORT}/where`)
  ).json()) as ClusterDatabaseFiles;
  return openOnPrimary(where);
}

/**
 * Opens the primary's file; not in the process that runs the cluster, whose ways would stand still meanwhile. Each write outside a transaction, and each transaction, returns when the replica has it
 * (throws after ten seconds): then a page of the replica shows it, as that of one site with one file would.
 */
function openOnPrimary({ primary, replica }: ClusterDatabaseFiles): Database.Database {
  const db = new Database(primary, { timeout: 5_000 });
  const wait = () => {
    if (!db.inTransaction) waitUntilInSync(primary, replica);
  };
  const prepare = db.prepare.bind(db) as (text: string) => Database.Statement;
  const transaction = db.transaction.bind(db);
  const waiting = {
    prepare(text: string) {
      const statement = prepare(text);
      const run = statement.run.bind(statement);
      statement.run = (...values) => {
        const result = run(...values);
        wait();
        return result;
      };
      return statement;
    },
    transaction(fn: (...values: unknown[]) => unknown) {
      const run = transaction(fn);
      return (...values: unknown[]) => {
        const result = run(...values);
        wait();
        return result;
      };
    },
  };
  return Object.assign(db, waiting as unknown as Database.Database);
}

const readPosition = (file: string) => readFileSync(`${file}-pos`, "utf8").trim();

/** LiteFS counts transactions up in hex digits of one length, so texts compare as numbers do. Synchronous, as better-sqlite3 is. */
function waitUntilInSync(primary: string, replica: string): void {
  const wanted = readPosition(primary);
  const endMs = performance.now() + SYNC_TIMEOUT_MS;
  while (readPosition(replica) < wanted) {
    if (performance.now() > endMs)
      throw new Error(
        `${replica} is at ${readPosition(replica)}, not at ${wanted}, after ${SYNC_TIMEOUT_MS} ms.`,
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}
