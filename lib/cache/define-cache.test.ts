import { statSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { damageCacheFile } from "#tests/support/damage-cache-file.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { clearCacheMemory, defineCache } from "./define-cache.ts";
import { closeCacheFile, findEntries, measureEntries, withCacheDatabase } from "./cache-file.ts";

let names = 0;
function counted(extra: { ttlMs?: number; swrMs?: number; timeoutMs?: number } = {}) {
  let made = 0;
  const cache = defineCache<string, { of: string; nth: number }>({
    name: `test-${++names}`,
    version: 1,
    keyOf: (input) => input,
    schema: z.object({ of: z.string(), nth: z.number() }),
    ttlMs: MINUTE_MS,
    timeoutMs: 1_000,
    produce: async (of) => ({ of, nth: ++made }),
    ...extra,
  });
  return { cache, made: () => made };
}

test("a value is produced once for concurrent callers", async () => {
  const { cache, made } = counted();
  const values = await Promise.all(Array.from({ length: 50 }, () => cache.get("a")));
  expect(new Set(values.map(({ nth }) => nth))).toEqual(new Set([1]));
  expect(made()).toBe(1);
});

test("a value survives in the file when memory is cleared", async () => {
  const { cache, made } = counted();
  await cache.get("a");
  clearCacheMemory();
  closeCacheFile();
  expect(await cache.get("a")).toEqual({ of: "a", nth: 1 });
  expect(made()).toBe(1);
});

test("a value is produced again after its TTL", async () => {
  const { cache, made } = counted();
  await cache.get("a");
  setClock(nowMs() + 2 * MINUTE_MS);
  await cache.get("a");
  expect(made()).toBe(2);
});

test("a stale value is served while a new one is produced", async () => {
  const { cache, made } = counted({ swrMs: 10 * MINUTE_MS });
  await cache.get("a");
  setClock(nowMs() + 2 * MINUTE_MS);
  expect((await cache.get("a")).nth).toBe(1);
  await expect.poll(made).toBe(2);
  expect((await cache.get("a")).nth).toBe(2);
});

test("requesting a key while producing it throws and names the key", async () => {
  const a = defineCache<string, string>({
    name: "nested",
    version: 1,
    keyOf: (k) => k,
    schema: z.string(),
    ttlMs: MINUTE_MS,
    timeoutMs: 5_000,
    produce: async (k): Promise<string> => b.get(k),
  });
  const b = defineCache<string, string>({
    name: "nested-inner",
    version: 1,
    keyOf: (k) => k,
    schema: z.string(),
    ttlMs: MINUTE_MS,
    timeoutMs: 5_000,
    produce: (k) => a.get(k),
  });
  const startedMs = performance.now();
  await expect(a.get("x")).rejects.toThrow(/"nested:1:x" was requested while producing it/);
  // It throws before the five-second timeout.
  expect(performance.now() - startedMs).toBeLessThan(4_000);
});

test("a second producer of one name is refused", () => {
  const define = () =>
    defineCache<string, string>({
      name: "twice",
      version: 1,
      keyOf: (k) => k,
      schema: z.string(),
      ttlMs: 1,
      timeoutMs: 1,
      produce: (k) => k,
    });
  define();
  expect(define).toThrow(/defined twice/);
});

test("a production that hangs is aborted with a clear error", async () => {
  let aborted = false;
  const cache = defineCache<string, string>({
    name: "hangs",
    version: 1,
    keyOf: (k) => k,
    schema: z.string(),
    ttlMs: MINUTE_MS,
    timeoutMs: 50,
    produce: (_, { signal }) =>
      new Promise(() => signal.addEventListener("abort", () => (aborted = true))),
  });
  await expect(cache.get("x")).rejects.toMatchObject({
    code: "unavailable",
    message: /took longer than 50 ms/,
  });
  expect(aborted).toBe(true);
});

test("an invalid value in the file is produced again", async () => {
  const loose = { version: 1, keyOf: (k: string) => k, ttlMs: MINUTE_MS, timeoutMs: 1_000 };
  const { cache, made } = counted();
  const name = `test-${names}`;
  await cache.get("a");
  const { writeEntry } = await import("./cache-file.ts");
  writeEntry(`${name}:${loose.version}:a`, {
    metadata: JSON.stringify({ createdTime: nowMs(), ttl: MINUTE_MS }),
    value: '{"of":1}',
  });
  clearCacheMemory();
  expect(await cache.get("a")).toEqual({ of: "a", nth: 2 });
  expect(made()).toBe(2);
});

test("a file that is not a database is recreated", async () => {
  const { cache } = counted();
  await cache.get("a");
  closeCacheFile();
  clearCacheMemory();
  for (const suffix of ["", "-wal", "-shm"])
    writeFileSync(env.CACHE_FILE + suffix, "this is not SQLite".repeat(500));
  expect((await cache.get("a")).nth).toBe(2);
  clearCacheMemory();
  closeCacheFile();
  expect((await cache.get("a")).nth).toBe(2);
});

test("a file that is damaged while it is open is recreated", async () => {
  const { cache, made } = counted();
  for (let i = 0; i < 200; i++) await cache.get(`${i} ${"x".repeat(1_000)}`);
  damageCacheFile();
  clearCacheMemory();
  for (let i = 0; i < 200; i++) await cache.get(`${i} ${"x".repeat(1_000)}`);
  clearCacheMemory();
  const madeBefore = made();
  for (let i = 0; i < 200; i++) await cache.get(`${i} ${"x".repeat(1_000)}`);
  expect(made()).toBeLessThan(madeBefore + 200);
  expect(withCacheDatabase((db) => db.pragma("integrity_check", { simple: true }))).toBe("ok");
  expect(measureEntries().entries).toBeGreaterThan(0);
});

test("a disk that stays broken causes one rebuild a minute", async () => {
  const { cache } = counted();
  await cache.get("a");
  const inode = () => statSync(env.CACHE_FILE).ino;
  const failing = (code: string) => () => {
    throw Object.assign(new Error("disk I/O error"), { code });
  };
  for (const code of ["SQLITE_IOERR_READ", "SQLITE_CORRUPT_VTAB", "SQLITE_NOTADB"]) {
    closeCacheFile();
    await cache.get("a");
    const before = inode();
    expect(() => withCacheDatabase(failing(code))).toThrow("disk I/O error");
    await cache.refresh("a");
    const rebuilt = inode();
    expect(rebuilt, code).not.toBe(before);
    for (let i = 0; i < 100; i++) expect(() => withCacheDatabase(failing(code))).toThrow();
    expect(inode(), code).toBe(rebuilt);
  }
  const last = inode();
  const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 61_000);
  expect(() => withCacheDatabase(failing("SQLITE_CORRUPT"))).toThrow();
  clock.mockRestore();
  await cache.refresh("a");
  expect(inode()).not.toBe(last);
});

test.each(["SQLITE_FULL", "SQLITE_BUSY", "SQLITE_READONLY", ""])(
  "%s does not delete the file",
  (code) => {
    const before = withCacheDatabase((db) => db);
    expect(() =>
      withCacheDatabase(() => {
        throw Object.assign(new Error("other"), { code });
      }),
    ).toThrow("other");
    expect(withCacheDatabase((db) => db)).toBe(before);
  },
);

test("the file stays under its limit and keeps recently used entries", async () => {
  overrideEnv({ CACHE_MAX_MB: "8" });
  const cache = defineCache<string, string>({
    name: "large",
    version: 1,
    keyOf: (k) => k,
    schema: z.string(),
    ttlMs: 100 * MINUTE_MS,
    timeoutMs: 1_000,
    produce: () => "x".repeat(500_000),
  });
  for (let i = 0; i < 40; i++) {
    setClock(nowMs() + 1_000);
    await cache.get(String(i));
  }
  const entries = findEntries("large:", 100);
  expect(entries.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(8 * 1_048_576);
  expect(entries.map(({ key }) => key)).toContain("large:1:39");
  overrideEnv({ CACHE_MAX_MB: undefined });
});

test("without a writable file, memory is used", async () => {
  const { cache } = counted();
  writeFileSync(`${env.DATA_DIR}/a-file`, "");
  overrideEnv({ CACHE_FILE: `${env.DATA_DIR}/a-file/cache.db`, LOG_LEVEL: "error" });
  const silent = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  expect((await cache.get("a")).nth).toBe(1);
  silent.mockRestore();
  clearCacheMemory();
  expect((await cache.get("a")).nth).toBe(1);
  overrideEnv({ CACHE_FILE: undefined });
});
