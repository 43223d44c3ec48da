// Damages the cache file while its connection is open, like a failing disk.

import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import { env } from "#lib/core/env.ts";

/** Overwrites every other page, starting with the second. */
export function damageCacheFile(): void {
  const pageBytes = withCacheDatabase((db) => {
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.pragma("shrink_memory"); // drops what the connection holds in memory
    return db.pragma("page_size", { simple: true }) as number;
  });
  const file = openSync(env.CACHE_FILE, "r+");
  for (let at = pageBytes; at < fstatSync(file).size; at += 2 * pageBytes)
    writeSync(file, Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, at);
  closeSync(file);
}
