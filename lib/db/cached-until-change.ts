// Keeps what is the same for all readers in this process until the database changes.

import { LRUCache } from "lru-cache";
import { singleton } from "#lib/core/singleton.ts";
import { databaseState, syncReaderConnection } from "./connection-pool.ts";
import { type Tx, scopeOf } from "./prisma-client.ts";

/** One entry per post and a few for the site; a thousand posts fit. */
const MAX_ENTRIES = 2_000;

const entries = singleton(
  "cached-until-change",
  () => new LRUCache<string, { version: string; value: object }>({ max: MAX_ENTRIES }),
);

/**
 * Returns what `load` returned for `key` in the same state of the database, or calls it. Any commit by any process
 * changes SQLite's data_version, and so does a transaction that LiteFS applies. In a read it must come before the first
 * query; it throws Error otherwise. In a write it always calls `load`.
 */
export async function cachedUntilChange<T extends object>(
  tx: Tx,
  key: string,
  load: () => Promise<T> | T,
): Promise<T> {
  const scope = scopeOf(tx);
  if (scope.kind === "write") return load();
  if (scope.version === undefined) {
    const state = databaseState();
    const watcher = await syncReaderConnection(state);
    if (scope.hasQueried)
      throw new Error(`cachedUntilChange("${key}") must come before the first query of its read.`);
    // Taken before the first query: a value of a later state can get this version, but never one of an earlier state.
    scope.version = `${state.file}:${state.generation}:${watcher.sql.get<{ data_version: number }>("PRAGMA data_version")?.data_version}`;
  }
  const { version } = scope;
  const entry = entries.get(key);
  if (entry?.version === version) return entry.value as T;
  const value = await load();
  entries.set(key, { version, value });
  return value;
}
