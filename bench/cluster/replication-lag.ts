// Measures replication lag under reads and writes.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { writeBeaconScript, writePausedScript } from "#bench/support/beacon-script.ts";
import { runWrk } from "#bench/support/wrk.ts";
import { percentile, round } from "#bench/support/measurements.ts";
import { BENCH_DIR, MARKS_TABLE, ARTICLE_SLUG } from "./bench-cluster.ts";
import type { ReplicaObservation, WatchOptions } from "./watch-replica.worker.ts";

export interface LagOptions {
  readonly primary: ClusterNode;
  readonly replicas: readonly ClusterNode[];
  readonly cookie: string;
  readonly seconds: number;
  /** Load on each replica: none, about 20 or 50 pages per second, or as many as it can serve. */
  readonly readers: "none" | "few" | "some" | "many";
  /** About 20 or 200 beacons per second. Default: "many". */
  readonly writers?: "few" | "many";
  /** Overlapping read transactions on one replica for `forMs`. */
  readonly longRead?: { readonly on: ClusterNode; readonly forMs: number };
}

export interface ReplicationLag {
  readonly beaconsPerSecond: number;
  /**
   * By replica: milliseconds from COMMIT on the primary until the row is readable, and until
   * LiteFS's event.
   */
  readonly replicas: Record<
    string,
    {
      pagesPerSecond: number;
      marks: number;
      p50: number;
      p99: number;
      max: number;
      events: number;
      eventP50: number;
      eventP99: number;
    }
  >;
}

const MARK_INTERVAL_MS = 25;
const WRITERS = {
  few: { connections: 2, pauseMs: 100 },
  many: { connections: 32, pauseMs: 100 },
} as const;
const READERS = {
  few: { connections: 2, pauseMs: 100 },
  some: { connections: 4, pauseMs: 50 },
  many: { connections: 8, pauseMs: 0 },
} as const;
const ARRIVAL_TIMEOUT_MS = 10_000;
/** Duration of each read transaction, longer than any page's. */
const HOLD_MS = 20;

/**
 * Measures for `seconds`. Throws if a row does not arrive within ten more seconds, or a request
 * fails.
 */
export async function measureLag({
  primary,
  replicas,
  cookie,
  seconds,
  readers,
  writers = "many",
  longRead,
}: LagOptions): Promise<ReplicationLag> {
  const watchers = await Promise.all(replicas.map(startWatching));
  const beacons = writeBeaconScript({
    dir: BENCH_DIR,
    slug: ARTICLE_SLUG,
    tokens: seconds * 2_000,
    pauseMs: WRITERS[writers].pauseMs,
  });
  const writing = runWrk(`${primary.url}/reads`, {
    seconds,
    connections: WRITERS[writers].connections,
    script: beacons,
  });
  const reading =
    readers === "none"
      ? []
      : replicas.map(({ url }) => {
          const { connections, pauseMs } = READERS[readers];
          return runWrk(`${url}/blog/${ARTICLE_SLUG}`, {
            seconds,
            connections,
            headers: { cookie },
            ...(pauseMs > 0 && { script: writePausedScript({ dir: BENCH_DIR, pauseMs }) }),
          });
        });
  const holding =
    longRead &&
    new Worker(new URL("./long-read-transaction.worker.ts", import.meta.url), {
      workerData: { file: longRead.on.databaseFile, holdMs: HOLD_MS, forMs: longRead.forMs },
    });

  const committed = await writeMarks(primary, seconds);
  const [written, ...read] = await Promise.all([writing, ...reading]);
  for (const { failed } of [written, ...read])
    if (failed > 0) throw new Error(`${failed} requests failed under load.`);
  if (holding?.threadId && holding.threadId > 0) await once(holding, "exit");

  const results: ReplicationLag["replicas"] = {};
  for (const [i, { takeObservation, stop }] of watchers.entries()) {
    const { name } = replicas[i]!;
    const { marks, eventMs } = await waitForAllMarks(name, takeObservation, committed);
    await stop();
    const ms = [...committed].map(([id, committedNs]) =>
      Math.max(0, Number(marks.get(id)! - committedNs) / 1e6),
    );
    results[name] = {
      pagesPerSecond: round(read[i]?.perSecond ?? 0, 0),
      marks: ms.length,
      p50: round(percentile(ms, 50), 1),
      p99: round(percentile(ms, 99), 1),
      max: round(Math.max(...ms), 1),
      events: eventMs.length,
      eventP50: round(percentile(eventMs, 50), 1),
      eventP99: round(percentile(eventMs, 99), 1),
    };
  }
  return { beaconsPerSecond: round(written.perSecond, 0), replicas: results };
}

/**
 * Commits about forty single rows per second. Returns the time at which each commit returned, by
 * row id, in nanoseconds.
 */
async function writeMarks(primary: ClusterNode, seconds: number): Promise<Map<number, bigint>> {
  const db = new Database(primary.databaseFile, { timeout: 5_000 });
  db.pragma("synchronous = NORMAL");
  const insert = db.prepare(`INSERT INTO "${MARKS_TABLE}" ("atMs") VALUES (?)`);
  const committed = new Map<number, bigint>();
  const untilMs = performance.now() + seconds * 1_000;
  while (performance.now() < untilMs) {
    const { lastInsertRowid } = insert.run(Date.now());
    committed.set(Number(lastInsertRowid), process.hrtime.bigint());
    await sleep(MARK_INTERVAL_MS * (0.5 + Math.random()));
  }
  db.close();
  return committed;
}

async function startWatching(
  replica: ClusterNode,
): Promise<{ takeObservation(): Promise<ReplicaObservation>; stop(): Promise<unknown> }> {
  const workerData: WatchOptions = {
    file: replica.databaseFile,
    litefsUrl: replica.litefsUrl,
    table: MARKS_TABLE,
  };
  const worker = new Worker(new URL("./watch-replica.worker.ts", import.meta.url), { workerData });
  const takeObservation = async () => {
    const reply = once(worker, "message") as Promise<[ReplicaObservation]>;
    worker.postMessage("report");
    return (await reply)[0];
  };
  await takeObservation(); // the worker is ready
  return { takeObservation, stop: () => worker.terminate() };
}

/** Waits until the watcher has seen all of `committed`. Returns its observations. */
async function waitForAllMarks(
  name: string,
  takeObservation: () => Promise<ReplicaObservation>,
  committed: ReadonlyMap<number, bigint>,
): Promise<ReplicaObservation> {
  const marks = new Map<number, bigint>();
  const eventMs: number[] = [];
  const untilMs = performance.now() + ARRIVAL_TIMEOUT_MS;
  for (;;) {
    const observation = await takeObservation();
    for (const [id, seenNs] of observation.marks) marks.set(id, seenNs);
    eventMs.push(...observation.eventMs);
    const missing = [...committed.keys()].filter((id) => !marks.has(id));
    if (missing.length === 0) return { marks, eventMs };
    if (performance.now() > untilMs)
      throw new Error(
        `${name} lacks ${missing.length} of ${committed.size} rows ${ARRIVAL_TIMEOUT_MS} ms after the last was written.`,
      );
    await sleep(50);
  }
}
