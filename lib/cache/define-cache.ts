// Derived values by name: cachified over the local cache file, with a small LRU in front.

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

/** Memory for values in front of the file, by the length of their JSON. */
const MEMORY_MAX_BYTES = 48 * 1_048_576;

interface CacheStore {
  readonly memory: LRUCache<string, { entry: CacheEntry; bytes: number }>;
  readonly cache: Cache;
}

// cachified joins concurrent callers by this object: one per process, so each value is produced once.
const cacheStore = (): CacheStore => singleton("cache", createCacheStore);

function createCacheStore(): CacheStore {
  const memory: CacheStore["memory"] = new LRUCache({
    maxSize: MEMORY_MAX_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  });
  /** cachified asks Date.now(); entries are kept in our clock's time and shown to it shifted. */
  const aheadMs = () => nowMs() - Date.now();
  const shifted = (entry: CacheEntry, byMs: number): CacheEntry => ({
    ...entry,
    metadata: { ...entry.metadata, createdTime: entry.metadata.createdTime + byMs },
  });
  const cache: Cache = {
    name: "local",
    get(key) {
      const hit = memory.get(key);
      if (hit) return shifted(hit.entry, -aheadMs());
      const row = readEntry(key);
      if (!row) return null;
      try {
        const entry: CacheEntry = {
          metadata: JSON.parse(row.metadata) as CacheEntry["metadata"],
          value: JSON.parse(row.value) as unknown,
        };
        memory.set(key, { entry, bytes: row.value.length + key.length });
        return shifted(entry, -aheadMs());
      } catch (error) {
        log("warn", "cache.entry_unreadable", { key, error });
        deleteEntry(key);
        return null;
      }
    },
    set(key, given) {
      const entry = shifted(given, aheadMs());
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

export interface CacheDefinition<Input, Value> {
  /** Part of every key; a second definition of the same name in one module graph is an error: one key, one producer. */
  readonly name: string;
  /** Raise it when the shape or meaning of the value changes. */
  readonly version: number;
  /** What makes two inputs the same. */
  readonly keyOf: (input: Input) => string;
  /** Checks a value that comes from the file; a value that fails is produced anew. */
  readonly schema: ZodType<Value>;
  readonly ttlMs: number;
  /** How long after `ttlMs` the old value is still given while a fresh one is produced in the background. */
  readonly swrMs?: number;
  /** The bound of one production; its signal is aborted then, and callers get AppError(unavailable). */
  readonly timeoutMs: number;
  readonly produce: (
    input: Input,
    context: { signal: AbortSignal; setTtlMs(ttlMs: number): void },
  ) => Promise<Value> | Value;
}

export interface DefinedCache<Input, Value> {
  /** The value: from memory, from the file, or produced once for all who ask meanwhile. Values are shared: don't change them. */
  get(input: Input): Promise<Value>;
  /** Produces the value anew, whatever is stored. */
  refresh(input: Input): Promise<Value>;
  /** What is stored, however old, without producing anything; null if nothing is. */
  peek(input: Input): Value | null;
  /** Stores a value that was made elsewhere. */
  set(input: Input, value: Value): void;
  delete(input: Input): void;
}

const definedNames = new Set<string>();
/** The keys that are being produced up the call chain. */
const keysInProduction = new AsyncLocalStorage<ReadonlySet<string>>();

/**
 * Declares a derived value. Asking for a key inside its own production, however far down, throws at once:
 * cachified would let the two wait for each other for ever.
 */
export function defineCache<Input, Value>(
  definition: CacheDefinition<Input, Value>,
): DefinedCache<Input, Value> {
  const { name, version, keyOf, schema, ttlMs, swrMs = 0, timeoutMs, produce } = definition;
  // Development reloads modules in place, where a name comes again without being a second producer.
  if (definedNames.has(name) && env.NODE_ENV !== "development")
    throw new Error(`The cache "${name}" is defined twice: one key, one producer.`);
  definedNames.add(name);
  const keyFor = (input: Input) => `${name}:${version}:${keyOf(input)}`;

  async function bounded(
    key: string,
    input: Input,
    metadata: { ttl?: number | null },
  ): Promise<Value> {
    const abort = new AbortController();
    const chain = new Set(keysInProduction.getStore()).add(key);
    const startedMs = performance.now();
    const made = keysInProduction.run(chain, async () =>
      produce(input, { signal: abort.signal, setTtlMs: (ms) => (metadata.ttl = ms) }),
    );
    return withTimeout(
      made,
      timeoutMs,
      `Making "${name}" took longer than ${timeoutMs} ms.`,
      (error) => abort.abort(error),
      5,
    ).finally(() =>
      observeHistogram("cache_make_seconds", (performance.now() - startedMs) / 1000, { name }),
    );
  }

  async function ask(input: Input, forceFresh: boolean): Promise<Value> {
    const key = keyFor(input);
    if (keysInProduction.getStore()?.has(key))
      throw new Error(`"${key}" was asked for while it is being produced.`);
    const { memory, cache } = cacheStore();
    if (!forceFresh) {
      // What memory holds was checked when it came in: the common case costs one look.
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
        result = "made";
        return bounded(key, input, metadata);
      },
    }).finally(() => incrementCounter("cache", { name, result }));
  }

  return {
    get: (input) => ask(input, false),
    refresh: (input) => ask(input, true),
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
    delete(input) {
      void cacheStore().cache.delete(keyFor(input));
    },
  };
}

/** Deletes one key from memory and file; true if the file had it. */
export function deleteCacheKey(key: string): boolean {
  cacheStore().memory.delete(key);
  return deleteEntry(key);
}

/** Forgets what is in memory; the file stays. For tests. */
export function clearCacheMemory(): void {
  cacheStore().memory.clear();
}
