// Damages the cache file under the open connection, as a failing disk does.

import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import { env } from "#lib/core/env.ts";

/** Overwrites every other page, except the first. */
export function damageCacheFile(): void {
  const pageBytes = withCacheDatabase((db) => {
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.pragma("shrink_memory"); // drops the pages that the connection has in memory
    return db.pragma("page_size", { simple: true }) as number;
  });
  const file = openSync(env.CACHE_FILE, "r+");
  for (let at = pageBytes; at < fstatSync(file).size; at += 2 * pageBytes)
    writeSync(file, Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, at);
  closeSync(file);
}
