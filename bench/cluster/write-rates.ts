// Measures counted reads on LiteFS, with group commit and with one transaction per read, over HTTP
// and without it.

import Database from "better-sqlite3";
import { overrideEnv } from "#tests/support/override-env.ts";
import { createSql } from "#lib/db/connection.ts";
import { closeDatabase } from "#lib/db/database.ts";
import { type Sql, writeSql } from "#lib/db/sql.ts";
import { recordRead } from "#lib/reading/record-read.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { writeBeaconScript } from "#bench/support/beacon-script.ts";
import { runWrk } from "#bench/support/wrk.ts";
import { median } from "#bench/support/measurements.ts";
import { BENCH_DIR, MARKS_TABLE, ARTICLE_SLUG } from "./bench-cluster.ts";

const KINDS = { shared: "/reads", single: "/reads?write=single" } as const;

/**
 * Returns the median beacons per second on the primary, and the total acknowledged. Throws if one
 * was rejected.
 */
export async function measureBeacons({
  primary,
  rounds,
  seconds,
  connections,
}: {
  primary: ClusterNode;
  rounds: number;
  seconds: number;
  connections: number;
}): Promise<{ shared: number; single: number; acknowledged: number }> {
  const rates = { shared: [] as number[], single: [] as number[] };
  let acknowledged = 0;
  for (let round = 0; round <= rounds; round++) {
    for (const kind of ["shared", "single"] as const) {
      const length = round === 0 ? 1 : seconds; // the first round warms up
      const script = writeBeaconScript({
        dir: BENCH_DIR,
        slug: ARTICLE_SLUG,
        tokens: length * 8_000,
      });
      const { perSecond, failed } = await runWrk(primary.url + KINDS[kind], {
        seconds: length,
        connections,
        script,
      });
      if (failed > 0) throw new Error(`${KINDS[kind]}: ${failed} beacons were rejected`);
      acknowledged += perSecond * length;
      if (round > 0) rates[kind].push(perSecond);
    }
  }
  return { shared: median(rates.shared), single: median(rates.single), acknowledged };
}

/** Inserts a counted read by a new anonymous reader. */
function insertRead(sql: Sql): void {
  const nowMs = Date.now();
  recordRead(sql, {
    token: issueDwellToken({ slug: ARTICLE_SLUG, nowMs: nowMs - 3_600_000 }),
    slug: ARTICLE_SLUG,
    member: null,
    clientId: null,
    readingMinutes: 5,
    nowMs,
  });
}

/**
 * Returns rows per second without HTTP, written by this process to the primary's mount: reads by
 * concurrent `writers` through the write queue, one read per transaction, and one small row per
 * transaction as the baseline.
 */
export async function measureCommits({
  primary,
  rounds,
  seconds,
  writers,
}: {
  primary: ClusterNode;
  rounds: number;
  seconds: number;
  writers: number;
}): Promise<{ queue: number; single: number; row: number; stored: number }> {
  const file = primary.databaseFile;
  overrideEnv({ DATABASE_FILE: file, REPLICATION: undefined });
  const db = new Database(file);
  db.pragma("synchronous = NORMAL");
  db.pragma("foreign_keys = ON");
  const sql = createSql(db);
  const mark = db.prepare(`INSERT INTO "${MARKS_TABLE}" ("atMs") VALUES (?)`);
  const insertOne = db.transaction(() => insertRead(sql));
  const kinds = {
    queue: () => writeConcurrently(seconds, writers),
    single: () => writeSequentially(seconds, () => insertOne.immediate()),
    row: () => writeSequentially(seconds, () => mark.run(Date.now())),
  };
  const rates = { queue: [] as number[], single: [] as number[], row: [] as number[] };
  let stored = 0;
  for (let round = 0; round < rounds; round++) {
    for (const kind of ["queue", "single", "row"] as const) {
      const { count, perSecond } = await kinds[kind]();
      if (kind !== "row") stored += count;
      rates[kind].push(perSecond);
    }
  }
  db.close();
  await closeDatabase();
  overrideEnv({ DATABASE_FILE: undefined });
  return {
    queue: median(rates.queue),
    single: median(rates.single),
    row: median(rates.row),
    stored,
  };
}

interface WriteRate {
  count: number;
  perSecond: number;
}

function writeSequentially(seconds: number, write: () => unknown): WriteRate {
  const startedMs = performance.now();
  let count = 0;
  for (; performance.now() - startedMs < seconds * 1_000; count++) write();
  return { count, perSecond: (count / (performance.now() - startedMs)) * 1_000 };
}

/** Each of the `writers` waits for its commit before its next write. */
async function writeConcurrently(seconds: number, writers: number): Promise<WriteRate> {
  const startedMs = performance.now();
  let count = 0;
  const writer = async () => {
    for (; performance.now() - startedMs < seconds * 1_000; count++) await writeSql(insertRead);
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return { count, perSecond: (count / (performance.now() - startedMs)) * 1_000 };
}

/** Returns the number of reads on `node`. */
export function countReads(node: ClusterNode): number {
  const db = new Database(node.databaseFile);
  db.pragma("query_only = ON");
  const { n } = db.prepare(`SELECT count(*) AS "n" FROM "PostRead"`).get() as { n: number };
  db.close();
  return n;
}
