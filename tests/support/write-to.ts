// Writes to the database file of another process, such as the site under test, through Prisma.

import { openConnection } from "#lib/db/connection.ts";
import type { Tx } from "#lib/db/database.ts";
import { withPrisma } from "#lib/db/prisma-client.ts";

const BUSY_TIMEOUT_MS = 5_000;

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs `fn` in one transaction on `file` and returns its result after the commit; if it throws,
 * nothing is written.
 */
export function writeTo<T>(file: string, fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  // One at a time: BEGIN blocks the thread, so another open transaction could never end.
  const result = last.then(() => writeInTransaction(file, fn));
  last = result.catch(() => {});
  return result;
}

async function writeInTransaction<T>(file: string, fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  const connection = await openConnection(file, "writer", BUSY_TIMEOUT_MS);
  try {
    connection.db.exec("BEGIN IMMEDIATE");
    const value = await withPrisma({ connection, kind: "write", isOpen: true }, fn);
    connection.db.exec("COMMIT");
    return value;
  } finally {
    connection.close();
  }
}
