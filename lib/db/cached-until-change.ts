// Caches values that are the same for all readers, until the database changes.

import { LRUCache } from "lru-cache";
import { singleton } from "#lib/core/singleton.ts";
import { databaseState, syncReaderConnection } from "./connection-pool.ts";
import { type Tx, scopeOf } from "./prisma-client.ts";

/** One entry per post and day, and one for the site. The least recently used ones are evicted. */
const MAX_ENTRIES = 2_000;

const entries = singleton(
  "cached-until-change",
  () => new LRUCache<string, { version: string; value: object }>({ max: MAX_ENTRIES }),
);

/**
 * Returns the cached result of `load` for `key`, or calls `load` if the database has changed since.
 * SQLite's data_version changes with each commit by any process, and with each LiteFS transaction.
 * In a read, it throws Error unless it comes before the first query. In a write, it never caches.
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
    // Read before the first query, so a cached value is never older than its version.
    scope.version = `${state.file}:${state.generation}:${watcher.sql.get<{ data_version: number }>("PRAGMA data_version")?.data_version}`;
  }
  const { version } = scope;
  const entry = entries.get(key);
  if (entry?.version === version) return entry.value as T;
  const value = await load();
  entries.set(key, { version, value });
  return value;
}
