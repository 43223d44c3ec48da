// Counted reads on LiteFS: commits that are shared beside one transaction each, over HTTP and without it.

import Database from "better-sqlite3";
import { overrideEnv } from "#tests/database.ts";
import type { Sql } from "#lib/db/connection.ts";
import { sqlOf } from "#lib/db/connection.ts";
import { closeDatabase, writeSql } from "#lib/db/database.ts";
import { recordRead } from "#lib/reads/record.ts";
import { issueToken } from "#lib/reads/token.ts";
import type { ClusterNode } from "../../e2e/cluster/node.ts";
import { beaconScript } from "../support/beacons.ts";
import { load } from "../support/load.ts";
import { median } from "../support/machine.ts";
import { DIR, MARKS, SLUG } from "./set-up.ts";

const KINDS = { shared: "/reads", single: "/api/bench-beacon/single" } as const;

/** Beacons acknowledged per second by the primary, medians, and how many were acknowledged at all. Throws if one was refused. */
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
      const length = round === 0 ? 1 : seconds; // the first warms up
      const script = beaconScript({ dir: DIR, slug: SLUG, tokens: length * 8_000 });
      const { perSecond, failed } = await load(primary.url + KINDS[kind], {
        seconds: length,
        connections,
        script,
      });
      if (failed > 0) throw new Error(`${KINDS[kind]}: ${failed} beacons were refused`);
      acknowledged += perSecond * length;
      if (round > 0) rates[kind].push(perSecond);
    }
  }
  return { shared: median(rates.shared), single: median(rates.single), acknowledged };
}

/** One more counted read, of somebody without an id. */
function record(sql: Sql): void {
  const nowMs = Date.now();
  recordRead(sql, {
    token: issueToken({ slug: SLUG, nowMs: nowMs - 3_600_000 }),
    slug: SLUG,
    member: null,
    clientId: null,
    readingMinutes: 5,
    nowMs,
  });
}

/**
 * The same without HTTP, by this process on the primary's mount, rows per second: reads through the write queue with `writers`
 * at a time, reads in a transaction each, and the floor, one row of two numbers in a transaction each.
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
  const sql = sqlOf(db);
  const mark = db.prepare(`INSERT INTO "${MARKS}" ("atMs") VALUES (?)`);
  const one = db.transaction(() => record(sql));
  const kinds = {
    queue: () => together(seconds, writers),
    single: () => inTurn(seconds, () => one.immediate()),
    row: () => inTurn(seconds, () => mark.run(Date.now())),
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

interface Done {
  count: number;
  perSecond: number;
}

function inTurn(seconds: number, write: () => unknown): Done {
  const startedMs = performance.now();
  let count = 0;
  for (; performance.now() - startedMs < seconds * 1_000; count++) write();
  return { count, perSecond: (count / (performance.now() - startedMs)) * 1_000 };
}

/** `writers` that each wait for their commit before their next. */
async function together(seconds: number, writers: number): Promise<Done> {
  const startedMs = performance.now();
  let count = 0;
  const writer = async () => {
    for (; performance.now() - startedMs < seconds * 1_000; count++) await writeSql(record);
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return { count, perSecond: (count / (performance.now() - startedMs)) * 1_000 };
}

/** How many reads `node` has. */
export function readsOn(node: ClusterNode): number {
  const db = new Database(node.databaseFile);
  db.pragma("query_only = ON");
  const { n } = db.prepare(`SELECT count(*) AS "n" FROM "PostRead"`).get() as { n: number };
  db.close();
  return n;
}
