// Keeps the database in a read transaction, with two connections whose transactions overlap. Runs
// in a worker thread.

import { setTimeout as sleep } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import Database from "better-sqlite3";

const { file, holdMs, forMs } = workerData as { file: string; holdMs: number; forMs: number };
const untilMs = performance.now() + forMs;

async function holdReadTransactions(afterMs: number): Promise<void> {
  const db = new Database(file, { timeout: 5_000 });
  db.pragma("query_only = ON");
  const any = db.prepare(`SELECT count(*) FROM "SiteTotal"`);
  await sleep(afterMs);
  while (performance.now() < untilMs) {
    db.exec("BEGIN");
    any.get();
    await sleep(holdMs);
    db.exec("ROLLBACK");
  }
  db.close();
}

await Promise.all([holdReadTransactions(0), holdReadTransactions(holdMs / 2)]);
