// Caches Next's static pages in memory, keyed by content version, so that nothing needs
// invalidation. Next loads this file outside its bundles (cacheHandler in next.config.mjs).

import { LRUCache } from "lru-cache";
import { peekSingleton, singleton } from "#lib/core/singleton.ts";

interface PageEntry {
  readonly value: unknown;
  readonly lastModified: number;
  readonly version: string;
}

/**
 * Maximum size of the LRU. A long article is about 600 kB with its client payload. Whole pages are
 * in lib/http/page-cache.ts; this cache holds what Next's client requests.
 */
const MAX_BYTES = 24 * 1_048_576;
/** Maximum number of not-found pages, so that requests for random URLs don't evict pages. */
const MAX_MISSING_PAGES = 50;

const pages = singleton(
  "next-cache",
  () =>
    new LRUCache<string, PageEntry>({
      maxSize: MAX_BYTES,
      sizeCalculation: ({ value }) => estimateBytes(value),
    }),
);

const missingPages = singleton(
  "next-cache-missing",
  () => new LRUCache<string, PageEntry>({ max: MAX_MISSING_PAGES }),
);

// The content may change while a page renders, so the version at the start of the request counts.
const versionsAtRequest = singleton(
  "next-cache-versions",
  () => new LRUCache<string, string>({ max: 2_000 }),
);

/** Strings count twice, because one curly quote makes V8 store the whole string as UTF-16. */
function estimateBytes(value: unknown): number {
  let size = 1_000;
  const add = (part: unknown) => {
    if (typeof part === "string") size += 2 * part.length;
    if (part instanceof Uint8Array) size += part.buffer.byteLength;
    if (part instanceof Map) for (const segment of part.values()) add(segment);
  };
  for (const part of Object.values((value ?? {}) as Record<string, unknown>)) add(part);
  return size;
}

/** Identifies a not-found page (app/not-found-page.tsx). */
const NOT_FOUND_MARKER = '<div class="wrap" data-missing="">';

/**
 * Sets the status of a not-found page, which Next sets only on the response of the request that
 * rendered it, and returns whether `value` is one. Changes `value` itself: concurrent requests
 * share it.
 */
function setNotFoundStatus(value: unknown): boolean {
  const page = value as { html?: unknown; status?: number } | null;
  if (typeof page?.html !== "string" || !page.html.includes(NOT_FOUND_MARKER)) return false;
  page.status = 404;
  return true;
}

export default class NextCacheHandler {
  async get(key: string): Promise<{ value: unknown; lastModified: number } | null> {
    const version = peekSingleton<() => string>("content-version")?.();
    if (version !== undefined) versionsAtRequest.set(key, version);
    // A post that was deleted may still have an entry of an earlier version.
    const entries = [pages.get(key), missingPages.get(key)];
    return entries.find((entry) => entry && entry.version === version) ?? null;
  }

  async set(key: string, value: unknown): Promise<void> {
    const cache = setNotFoundStatus(value) ? missingPages : pages;
    const version = versionsAtRequest.get(key);
    if (version === undefined || value === null) return;
    // A version may return, if a commit is reverted, but not with what another one rendered.
    if (version !== peekSingleton<() => string>("content-version")?.()) return;
    cache.set(key, { value, lastModified: Date.now(), version });
  }

  async revalidateTag(): Promise<void> {}

  resetRequestCache(): void {}
}
