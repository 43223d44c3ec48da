// Defines caches of derived values: cachified over the local cache file, with a small LRU in front.

import { AsyncLocalStorage } from "node:async_hooks";
import { type Cache, type CacheEntry, cachified } from "@epic-web/cachified";
import { LRUCache } from "lru-cache";
import type { ZodType } from "zod";
import { nowMs } from "#lib/core/clock.ts";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { incrementCounter, observeHistogram } from "#lib/core/metrics.ts";
import { singleton } from "#lib/core/singleton.ts";
import { deleteEntry, readEntry, writeEntry } from "./cache-file.ts";

/** Maximum size of the LRU, measured by JSON length. */
const MEMORY_MAX_BYTES = 48 * 1_048_576;

interface CacheStore {
  readonly memory: LRUCache<string, { entry: CacheEntry; bytes: number }>;
  readonly cache: Cache;
}

// cachified deduplicates concurrent calls per cache object, so the process has exactly one.
const cacheStore = (): CacheStore => singleton("cache", createCacheStore);

function createCacheStore(): CacheStore {
  const memory: CacheStore["memory"] = new LRUCache({
    maxSize: MEMORY_MAX_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  });
  // cachified uses Date.now(). Stored entries use nowMs() and are shifted for cachified.
  const clockOffsetMs = () => nowMs() - Date.now();
  const shiftTime = (entry: CacheEntry, byMs: number): CacheEntry => ({
    ...entry,
    metadata: { ...entry.metadata, createdTime: entry.metadata.createdTime + byMs },
  });
  const cache: Cache = {
    name: "local",
    get(key) {
      const hit = memory.get(key);
      if (hit) return shiftTime(hit.entry, -clockOffsetMs());
      const row = readEntry(key);
      if (!row) return null;
      try {
        const entry: CacheEntry = {
          metadata: JSON.parse(row.metadata) as CacheEntry["metadata"],
          value: JSON.parse(row.value) as unknown,
        };
        memory.set(key, { entry, bytes: row.value.length + key.length });
        return shiftTime(entry, -clockOffsetMs());
      } catch (error) {
        log("warn", "cache.entry_unreadable", { key, error });
        deleteEntry(key);
        return null;
      }
    },
    set(key, unshifted) {
      const entry = shiftTime(unshifted, clockOffsetMs());
      const value = JSON.stringify(entry.value);
      memory.set(key, { entry, bytes: value.length + key.length });
      writeEntry(key, { metadata: JSON.stringify(entry.metadata), value });
    },
    delete(key) {
      memory.delete(key);
      deleteEntry(key);
    },
  };
  return { memory, cache };
}

interface CacheDefinition<Input, Value> {
  /** Prefix of every key. Defining a name twice throws: each key has exactly one producer. */
  readonly name: string;
  /** Increment when the shape or meaning of the value changes. */
  readonly version: number;
  /** Returns the same key for equivalent inputs. */
  readonly keyOf: (input: Input) => string;
  /** Validates values from the file; an invalid one is produced again. */
  readonly schema: ZodType<Value>;
  readonly ttlMs: number;
  /**
   * Stale-while-revalidate: how long after `ttlMs` the old value is served while a new one is
   * produced.
   */
  readonly swrMs?: number;
  /** Deadline for `produce`. After it, the signal aborts and callers get AppError(unavailable). */
  readonly timeoutMs: number;
  readonly produce: (
    input: Input,
    context: { signal: AbortSignal; setTtlMs(ttlMs: number): void },
  ) => Promise<Value> | Value;
}

export interface DefinedCache<Input, Value> {
  /**
   * Returns the value from memory or the file, or produces it once for all concurrent callers.
   * Never mutate it.
   */
  get(input: Input): Promise<Value>;
  /** Produces and stores the value even if one is stored. */
  refresh(input: Input): Promise<Value>;
  /** Returns the stored value, however old, or null. Produces nothing. */
  peek(input: Input): Value | null;
  /** Stores a value. */
  set(input: Input, value: Value): void;
}

const definedNames = new Set<string>();
/** The keys that the current call chain is producing. */
const keysInProduction = new AsyncLocalStorage<ReadonlySet<string>>();

/**
 * Defines a cache. Requesting a key while producing it throws, because cachified would deadlock.
 */
export function defineCache<Input, Value>(
  definition: CacheDefinition<Input, Value>,
): DefinedCache<Input, Value> {
  const { name, version, keyOf, schema, ttlMs, swrMs = 0, timeoutMs, produce } = definition;
  // In development, hot reloading redefines names.
  if (definedNames.has(name) && env.NODE_ENV !== "development")
    throw new Error(`The cache "${name}" is defined twice: one key, one producer.`);
  definedNames.add(name);
  const keyFor = (input: Input) => `${name}:${version}:${keyOf(input)}`;

  async function produceWithTimeout(
    key: string,
    input: Input,
    metadata: { ttl?: number | null },
  ): Promise<Value> {
    const abort = new AbortController();
    const chain = new Set(keysInProduction.getStore()).add(key);
    const startedMs = performance.now();
    const production = keysInProduction.run(chain, async () =>
      produce(input, { signal: abort.signal, setTtlMs: (ms) => (metadata.ttl = ms) }),
    );
    return withTimeout(
      production,
      timeoutMs,
      `Producing "${name}" took longer than ${timeoutMs} ms.`,
      (error) => abort.abort(error),
      5,
    ).finally(() =>
      observeHistogram("cache_produce_seconds", (performance.now() - startedMs) / 1000, { name }),
    );
  }

  async function getOrProduce(input: Input, forceFresh: boolean): Promise<Value> {
    const key = keyFor(input);
    if (keysInProduction.getStore()?.has(key))
      throw new Error(`"${key}" was requested while producing it.`);
    const { memory, cache } = cacheStore();
    if (!forceFresh) {
      // Values in memory are already validated, so the common case is a single lookup.
      const hit = memory.get(key)?.entry;
      if (hit && nowMs() < hit.metadata.createdTime + (hit.metadata.ttl ?? Infinity)) {
        incrementCounter("cache", { name, result: "memory" });
        return hit.value as Value;
      }
    }
    let result = "stored";
    return cachified<Value>({
      key,
      cache,
      ttl: ttlMs,
      swr: swrMs,
      checkValue: schema,
      forceFresh,
      fallbackToCache: false,
      getFreshValue: ({ metadata }) => {
        result = "produced";
        return produceWithTimeout(key, input, metadata);
      },
    }).finally(() => incrementCounter("cache", { name, result }));
  }

  return {
    get: (input) => getOrProduce(input, false),
    refresh: (input) => getOrProduce(input, true),
    peek(input) {
      const entry = cacheStore().cache.get(keyFor(input)) as CacheEntry | null;
      const parsed = entry && schema.safeParse(entry.value);
      return parsed?.success ? parsed.data : null;
    },
    set(input, value) {
      void cacheStore().cache.set(keyFor(input), {
        metadata: { createdTime: Date.now(), ttl: ttlMs, swr: swrMs },
        value,
      });
    },
  };
}

/** Deletes a key from memory and file. Returns true if the file had it. */
export function deleteCacheKey(key: string): boolean {
  cacheStore().memory.delete(key);
  return deleteEntry(key);
}

/** Clears the memory, not the file. For tests. */
export function clearCacheMemory(): void {
  cacheStore().memory.clear();
}
