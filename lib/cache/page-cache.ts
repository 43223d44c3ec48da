// Next's cache for the shared pages: what is the same for every reader without a cookie is rendered once.
// Loaded by Next itself (next.config.mjs, cacheHandler), outside its bundles. In memory only, bounded;
// an entry belongs to the version of the content it was rendered from, so nothing has to be invalidated.

import { LRUCache } from "lru-cache";
import { peekSingleton, singleton } from "#lib/core/singleton.ts";

interface PageEntry {
  readonly value: unknown;
  readonly lastModified: number;
  readonly version: string;
}

/** Of rendered pages, by the length of what would be sent. A long article is about 400 kB with its client payload. */
const MAX_BYTES = 64 * 1_048_576;

const pages = singleton(
  "page-cache",
  () =>
    new LRUCache<string, PageEntry>({
      maxSize: MAX_BYTES,
      sizeCalculation: ({ value }) => estimateBytes(value),
    }),
);

// The version at the moment a page was asked for: it is rendered after that, and the content may change meanwhile.
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

/** The element in the document of a page that is not there (app/not-found-page.tsx): its copies are a 404 too. */
const NOT_FOUND_MARKER = '<div class="wrap" data-missing="">';

function withNotFoundStatus(value: unknown): unknown {
  const { html } = value as { html?: unknown };
  return typeof html === "string" && html.includes(NOT_FOUND_MARKER)
    ? { ...(value as object), status: 404 }
    : value;
}

export default class PageCache {
  async get(key: string): Promise<{ value: unknown; lastModified: number } | null> {
    const version = peekSingleton<() => string>("content-version")?.();
    if (version !== undefined) versionsAtRequest.set(key, version);
    const entry = pages.get(key);
    return entry && entry.version === version ? entry : null;
  }

  async set(key: string, value: unknown): Promise<void> {
    const version = versionsAtRequest.get(key);
    if (version === undefined || value === null) return;
    pages.set(key, { value: withNotFoundStatus(value), lastModified: Date.now(), version });
  }

  async revalidateTag(): Promise<void> {}

  resetRequestCache(): void {}
}
