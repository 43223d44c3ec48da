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
 * Maximum size of the LRU, measured by output length. A long article is about 400 kB with its
 * client payload.
 */
const MAX_BYTES = 64 * 1_048_576;

const pages = singleton(
  "page-cache",
  () =>
    new LRUCache<string, PageEntry>({
      maxSize: MAX_BYTES,
      sizeCalculation: ({ value }) => estimateBytes(value),
    }),
);

// The content may change while a page renders, so the version at the start of the request counts.
const versionsAtRequest = singleton(
  "page-cache-versions",
  () => new LRUCache<string, string>({ max: 2_000 }),
);

function estimateBytes(value: unknown): number {
  let size = 1_000;
  for (const part of Object.values((value ?? {}) as Record<string, unknown>)) {
    if (typeof part === "string" || part instanceof Uint8Array) size += part.length;
    if (part instanceof Map)
      for (const segment of part.values()) size += (segment as Uint8Array).length ?? 0;
  }
  return size;
}

/** Identifies a not-found page (app/not-found-page.tsx). */
const NOT_FOUND_MARKER = '<div class="wrap" data-missing="">';

/**
 * Sets the status of a not-found page, which Next sets only on the response of the request that
 * rendered it. Changes `value` itself: concurrent requests share it.
 */
function setNotFoundStatus(value: unknown): void {
  const page = value as { html?: unknown; status?: number } | null;
  if (typeof page?.html === "string" && page.html.includes(NOT_FOUND_MARKER)) page.status = 404;
}

export default class PageCache {
  async get(key: string): Promise<{ value: unknown; lastModified: number } | null> {
    const version = peekSingleton<() => string>("content-version")?.();
    if (version !== undefined) versionsAtRequest.set(key, version);
    const entry = pages.get(key);
    return entry && entry.version === version ? entry : null;
  }

  async set(key: string, value: unknown): Promise<void> {
    setNotFoundStatus(value);
    const version = versionsAtRequest.get(key);
    if (version === undefined || value === null) return;
    pages.set(key, { value, lastModified: Date.now(), version });
  }

  async revalidateTag(): Promise<void> {}

  resetRequestCache(): void {}
}
