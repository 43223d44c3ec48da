// Stores derived data in a local SQLite file, outside LiteFS. The file can be deleted at any time;
// a damaged file is deleted here.

import { rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Database from "better-sqlite3";
import { nowMs } from "#lib/core/clock.ts";
import { createFolder } from "#lib/core/create-folder.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { quoteIdentifier } from "#lib/core/quote-identifier.ts";
import { singleton } from "#lib/core/singleton.ts";
import { isBusy, isDamaged, sqliteErrorCode } from "#lib/core/sqlite-error.ts";

/**
 * Increment when the tables below change. Files of another version lose their tables and start
 * empty.
 */
const SCHEMA_VERSION = 1;
/**
 * LRU eviction starts above env.CACHE_MAX_MB and stops at this share of it, so that it stays rare.
 */
const EVICTION_TARGET_RATIO = 0.8;
/** Minimum time between rebuilds, so that a broken disk does not cause one for each request. */
const REBUILD_INTERVAL_MS = 60_000;
/** Minimum time between updates of usedAt, so that reads rarely cause writes. */
const TOUCH_INTERVAL_MS = 3_600_000;

interface CacheFile {
  readonly path: string;
  readonly db: Database.Database;
  bytes: number;
}

const shared = singleton("cache-file", (): { file?: CacheFile; rebuiltMs?: number } => ({}));

function openDatabase(path: string): Database.Database {
  const db = new Database(path, { timeout: 2_000 });
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = OFF"); // a crash costs only cache entries
    db.pragma("temp_store = MEMORY");
    if (db.pragma("user_version", { simple: true }) !== SCHEMA_VERSION) {
      db.transaction(() => {
        const tables = db
          .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT NULL",
          )
          .all() as { name: string }[];
        for (const { name } of tables) db.exec(`DROP TABLE IF EXISTS ${quoteIdentifier(name)}`);
        db.exec(`CREATE TABLE cache (
          key TEXT PRIMARY KEY NOT NULL,
          metadata TEXT NOT NULL,
          value TEXT NOT NULL,
          bytes INTEGER NOT NULL,
          usedAt INTEGER NOT NULL
        ) WITHOUT ROWID`);
        db.exec("CREATE INDEX cache_least_recently_used ON cache (usedAt)");
        db.pragma(`user_version = ${SCHEMA_VERSION}`);
      }).immediate();
    }
    db.prepare("SELECT sum(bytes) FROM cache").get(); // reads every page of the table
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Opens the file, or recreates it if that fails. If both fail, caches in memory until the next
 * start.
 */
function openOrRecreate(path: string): Database.Database {
  try {
    createFolder(dirname(path));
    try {
      return openDatabase(path);
    } catch (error) {
      if (isBusy(error)) throw error;
      log("warn", "cache.file_recreated", { error });
      deleteFile(path);
      return openDatabase(path);
    }
  } catch (error) {
    log("error", "cache.in_memory_only", { file: path, error });
    return openDatabase(":memory:");
  }
}

function deleteFile(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
}

function cacheFile(): CacheFile {
  const path = resolve(env.CACHE_FILE);
  if (shared.file?.path === path) return shared.file;
  const db = openOrRecreate(path);
  const { bytes } = db.prepare("SELECT coalesce(sum(bytes), 0) AS bytes FROM cache").get() as {
    bytes: number;
  };
  shared.file = { path, db, bytes };
  return shared.file;
}

/** Closes the file; the next use opens it again. */
export function closeCacheFile(): void {
  shared.file?.db.close();
  shared.file = undefined;
  shared.rebuiltMs = undefined;
}

/** Deletes the file; the next use creates it again. */
function discardFile(): void {
  try {
    shared.file?.db.close();
    deleteFile(resolve(env.CACHE_FILE));
  } catch (error) {
    log("warn", "cache.file_not_deleted", { error });
  }
  shared.file = undefined;
}

/**
 * Returns the result of `fn`. If that shows that the file is damaged, recreates the file and calls
 * `fn` again, at most once a minute. Otherwise throws the error of `fn`.
 */
function withRebuild<T>(fn: (file: CacheFile) => T): T {
  try {
    return fn(cacheFile());
  } catch (error) {
    const nextRebuildMs = (shared.rebuiltMs ?? Number.NEGATIVE_INFINITY) + REBUILD_INTERVAL_MS;
    if (!isDamaged(error) || performance.now() < nextRebuildMs) throw error;
    log("warn", "cache.file_recreated", { error });
    discardFile();
    shared.rebuiltMs = performance.now();
    return fn(cacheFile());
  }
}

/**
 * Returns the result of `fn` on the database of the cache file, for derived tables such as the
 * search index. Calls `fn` again if the file was damaged and recreated: then it has no tables.
 */
export function withCacheDatabase<T>(fn: (db: Database.Database) => T): T {
  return withRebuild(({ db }) => fn(db));
}

interface StoredEntry {
  readonly metadata: string;
  readonly value: string;
}

/**
 * Returns the result of `fn`, or `fallback` on an error, so that the cache never fails a request.
 * Deletes a file without our tables.
 */
function runOrFallback<T>(fn: (file: CacheFile) => T, fallback: T): T {
  try {
    return withRebuild(fn);
  } catch (error) {
    log("warn", "cache.file_failed", { error });
    if (sqliteErrorCode(error) === "SQLITE_ERROR") discardFile();
    return fallback;
  }
}

export function readEntry(key: string): StoredEntry | undefined {
  return runOrFallback(({ db }) => {
    const row = db.prepare("SELECT metadata, value, usedAt FROM cache WHERE key = ?").get(key) as
      (StoredEntry & { usedAt: number }) | undefined;
    if (row && nowMs() - row.usedAt > TOUCH_INTERVAL_MS)
      db.prepare("UPDATE cache SET usedAt = ? WHERE key = ?").run(nowMs(), key);
    return row;
  }, undefined);
}

export function writeEntry(key: string, entry: StoredEntry): void {
  runOrFallback((file) => {
    const bytes = key.length + entry.metadata.length + entry.value.length;
    const maxBytes = env.CACHE_MAX_MB * 1_048_576;
    if (bytes > maxBytes / 4) return; // one entry must not evict all others
    const { db } = file;
    db.transaction(() => {
      const replaced = db.prepare("SELECT bytes FROM cache WHERE key = ?").get(key) as
        { bytes: number } | undefined;
      db.prepare(
        "INSERT OR REPLACE INTO cache (key, metadata, value, bytes, usedAt) VALUES (?, ?, ?, ?, ?)",
      ).run(key, entry.metadata, entry.value, bytes, nowMs());
      file.bytes += bytes - (replaced?.bytes ?? 0);
      if (file.bytes > maxBytes) evictLeastRecentlyUsed(file, maxBytes * EVICTION_TARGET_RATIO);
    }).immediate();
  }, undefined);
}

function evictLeastRecentlyUsed(file: CacheFile, toBytes: number): void {
  const oldestFirst = file.db.prepare("SELECT key, bytes FROM cache ORDER BY usedAt").all() as {
    key: string;
    bytes: number;
  }[];
  const drop = file.db.prepare("DELETE FROM cache WHERE key = ?");
  let remainingBytes = oldestFirst.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { key, bytes } of oldestFirst) {
    if (remainingBytes <= toBytes) break;
    drop.run(key);
    remainingBytes -= bytes;
  }
  file.bytes = remainingBytes;
}

export function deleteEntry(key: string): boolean {
  return runOrFallback((file) => {
    const row = file.db.prepare("DELETE FROM cache WHERE key = ? RETURNING bytes").get(key) as
      { bytes: number } | undefined;
    if (row) file.bytes -= row.bytes;
    return row !== undefined;
  }, false);
}

export interface EntryInfo {
  readonly key: string;
  readonly bytes: number;
  readonly metadata: {
    readonly createdTime: number;
    readonly ttl?: number | null;
    readonly swr?: number | null;
  };
}

/** Returns at most `limit` entries whose key contains `text`, ordered by key. */
export function findEntries(text: string, limit: number): EntryInfo[] {
  return runOrFallback(({ db }) => {
    const rows = db
      .prepare(
        "SELECT key, bytes, metadata FROM cache WHERE instr(key, ?) > 0 ORDER BY key LIMIT ?",
      )
      .all(text, limit) as { key: string; bytes: number; metadata: string }[];
    return rows.map(({ key, bytes, metadata }) => ({
      key,
      bytes,
      metadata: JSON.parse(metadata) as EntryInfo["metadata"],
    }));
  }, []);
}

/** Returns the number of entries and their total bytes. */
export function measureEntries(): { entries: number; bytes: number } {
  return runOrFallback(
    ({ db }) =>
      db
        .prepare("SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes FROM cache")
        .get() as { entries: number; bytes: number },
    { entries: 0, bytes: 0 },
  );
}
