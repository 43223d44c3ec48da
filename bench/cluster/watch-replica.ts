// A thread that watches one replica: when each mark can be read there, and how old LiteFS says each transaction is on arrival.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import { litefsEvents } from "#lib/litefs/events.ts";

export interface WatchOptions {
  readonly file: string;
  readonly litefsUrl: string;
  readonly table: string;
}

/** What it has seen when it is asked. */
export interface Watched {
  /** When each mark could be read first, by its id, in nanoseconds of the machine's monotonic clock. */
  readonly marks: Map<number, bigint>;
  /** Of every transaction: milliseconds from its commit, as the primary noted it, to LiteFS' event. */
  readonly eventMs: number[];
}

const { file, litefsUrl, table } = workerData as WatchOptions;
const db = new Database(file, { timeout: 5_000 });
db.pragma("query_only = ON");
const newest = db.prepare(`SELECT COALESCE(MAX("id"), 0) FROM "${table}"`).pluck();

let last = newest.get() as number;
let seen: { marks: Map<number, bigint>; eventMs: number[] } = { marks: new Map(), eventMs: [] };

function look(): void {
  const id = newest.get() as number;
  const now = process.hrtime.bigint();
  for (; last < id; last++) seen.marks.set(last + 1, now);
}

parentPort?.on("message", () => {
  look();
  parentPort?.postMessage(seen satisfies Watched);
  seen = { marks: new Map(), eventMs: [] };
});

let isLooking = false;
await litefsEvents(
  litefsUrl,
  (event) => {
    if (event.type !== "tx") return;
    seen.eventMs.push(Math.max(0, Date.now() - Date.parse(event.data.timestamp)));
    // One look for all events that came together.
    if (isLooking) return;
    isLooking = true;
    setImmediate(() => {
      isLooking = false;
      look();
    });
  },
  new AbortController().signal,
);
