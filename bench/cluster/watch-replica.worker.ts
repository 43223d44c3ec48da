// Records when each marker row becomes readable on a replica, and the age of each transaction in
// LiteFS's events. Runs in a worker thread.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { subscribeLitefsEvents } from "#lib/replication/litefs-events.ts";

export interface WatchOptions {
  readonly file: string;
  readonly litefsUrl: string;
  readonly table: string;
}

/** What the worker has seen since the last report. */
export interface ReplicaObservation {
  /** When each marker row was first readable, by id, in nanoseconds of the monotonic clock. */
  readonly marks: Map<number, bigint>;
  /** Milliseconds from each commit to LiteFS's event. */
  readonly eventMs: number[];
}

const { file, litefsUrl, table } = workerData as WatchOptions;
const db = new Database(file, { timeout: 5_000 });
db.pragma("query_only = ON");
const newest = db.prepare(`SELECT COALESCE(MAX("id"), 0) FROM "${table}"`).pluck();

let lastId = newest.get() as number;
let observation: { marks: Map<number, bigint>; eventMs: number[] } = {
  marks: new Map(),
  eventMs: [],
};

function recordNewMarks(): void {
  const id = newest.get() as number;
  const now = process.hrtime.bigint();
  for (; lastId < id; lastId++) observation.marks.set(lastId + 1, now);
}

parentPort?.on("message", () => {
  recordNewMarks();
  parentPort?.postMessage(observation satisfies ReplicaObservation);
  observation = { marks: new Map(), eventMs: [] };
});

let isScheduled = false;
await subscribeLitefsEvents(
  litefsUrl,
  (event) => {
    if (event.type !== "tx") return;
    observation.eventMs.push(Math.max(0, Date.now() - Date.parse(event.data.timestamp)));
    // One query for all events of this tick.
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      recordNewMarks();
    });
  },
  new AbortController().signal,
);
