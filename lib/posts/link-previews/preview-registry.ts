// Looks up previews of the links in posts, and refreshes them in the background. Pages never wait
// for the network.

import { LRUCache } from "lru-cache";
import { HOUR_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { log } from "#lib/core/log.ts";
import { peekSingleton, resetSingleton, singleton } from "#lib/core/singleton.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import type { LinkPreview } from "./link-preview.ts";
import { type PreviewImage, getPreviewImage, imageVersion } from "./preview-image.ts";
import {
  type PreviewRecord,
  findPreviewRecord,
  findPreviewRecordByKey,
  fetchPreviewRecord,
} from "./preview-record.ts";

/** How many links are fetched concurrently. */
const CONCURRENCY = 3;
/** Maximum number of links to keep and retry. A large blog has a few hundred. */
const MAX_URLS = 5_000;
const MAX_URL_LENGTH = 2_000;
const RETRY_INTERVAL_MS = MINUTE_MS / 2;
/** Listeners are notified at the end of a run, or this long after the first change (debounce). */
const NOTIFY_DELAY_MS = 1_000;
/** Delay before a failed image is fetched again. */
const IMAGE_RETRY_DELAY_MS = 10 * MINUTE_MS;

type Listener = (urls: readonly string[]) => void;

interface RegistryState {
  /** Records read in this process; null if the cache has none. */
  readonly recordsByUrl: LRUCache<string, { readonly record: PreviewRecord | null }>;
  /** Links in the current posts, oldest first. */
  readonly wantedUrls: Set<string>;
  readonly refreshesByUrl: Map<string, Promise<void>>;
  readonly semaphore: Semaphore;
  readonly listeners: Set<Listener>;
  readonly changedUrls: Set<string>;
  readonly imageRetryTimes: LRUCache<string, number>;
  notifyTimer?: NodeJS.Timeout;
  retryTimer?: NodeJS.Timeout;
}

const registryState = (): RegistryState =>
  singleton<RegistryState>("link-previews", () => ({
    recordsByUrl: new LRUCache({ max: MAX_URLS }),
    wantedUrls: new Set(),
    refreshesByUrl: new Map(),
    semaphore: new Semaphore(CONCURRENCY),
    listeners: new Set(),
    changedUrls: new Set(),
    imageRetryTimes: new LRUCache({ max: 1_000 }),
  }));

function loadRecord(url: string): PreviewRecord | null {
  const { recordsByUrl } = registryState();
  const hit = recordsByUrl.get(url);
  if (hit) return hit.record;
  const record = findPreviewRecord(url);
  recordsByUrl.set(url, { record });
  return record;
}

/** Returns the preview of `url`, however old, or null. Never waits for the network. */
export function findLinkPreview(url: string): LinkPreview | null {
  return loadRecord(url)?.embed ?? null;
}

/** Calls `listener` with links whose preview has changed. Returns a function that unsubscribes. */
export function onLinkPreviewsChanged(listener: Listener): () => void {
  const { listeners } = registryState();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notifyListeners(): void {
  const state = registryState();
  clearTimeout(state.notifyTimer);
  state.notifyTimer = undefined;
  if (state.changedUrls.size === 0) return;
  const urls = [...state.changedUrls];
  state.changedUrls.clear();
  for (const listener of state.listeners) {
    try {
      listener(urls);
    } catch (error) {
      log("error", "embeds.listener_failed", { error });
    }
  }
}

async function refreshRecord(url: string): Promise<void> {
  const state = registryState();
  const previous = loadRecord(url);
  const record = await fetchPreviewRecord(url);
  if (peekSingleton("link-previews") !== state) return;
  state.recordsByUrl.set(url, { record });
  if (JSON.stringify(previous?.embed ?? null) === JSON.stringify(record.embed)) return;
  state.changedUrls.add(url);
  state.notifyTimer ??= setTimeout(notifyListeners, NOTIFY_DELAY_MS).unref();
}

function enqueueRefresh(url: string): Promise<void> {
  const state = registryState();
  const already = state.refreshesByUrl.get(url);
  if (already) return already;
  const done = state.semaphore
    .run(() => refreshRecord(url), {
      maxWaitMs: HOUR_MS,
      message: "Too many link previews are waiting.",
    })
    .catch((error: unknown) => log("error", "embeds.refresh_failed", { error }))
    .then(() => {
      state.refreshesByUrl.delete(url);
      if (state.refreshesByUrl.size === 0 && peekSingleton("link-previews") === state)
        notifyListeners();
    });
  state.refreshesByUrl.set(url, done);
  return done;
}

const isDue = (url: string) => (loadRecord(url)?.nextAtMs ?? 0) <= nowMs();

function addWantedUrls(urls: Iterable<string>): void {
  const state = registryState();
  for (const url of urls) {
    if (url.length > MAX_URL_LENGTH) continue;
    state.wantedUrls.delete(url);
    state.wantedUrls.add(url);
  }
  for (const url of state.wantedUrls) {
    if (state.wantedUrls.size <= MAX_URLS) break;
    state.wantedUrls.delete(url);
  }
  state.retryTimer ??= setInterval(() => void retryDueLinkPreviews(), RETRY_INTERVAL_MS).unref();
}

/**
 * Adds `urls` to the wanted links and fetches those that are due: new, older than 7 days, or failed
 * (retried after 10 min, doubled up to a day). Resolves when done, never rejects; pages do not
 * await it.
 */
export async function refreshLinkPreviews(urls: Iterable<string>): Promise<void> {
  const requested = new Set(urls);
  addWantedUrls(requested);
  const { wantedUrls } = registryState();
  await Promise.all(
    [...requested].filter((url) => wantedUrls.has(url) && isDue(url)).map(enqueueRefresh),
  );
}

/** Like refreshLinkPreviews, but replaces the wanted links, for a newly published version. */
export async function setWantedLinkPreviews(urls: Iterable<string>): Promise<void> {
  const requested = [...urls];
  registryState().wantedUrls.clear();
  await refreshLinkPreviews(requested);
}

/** Fetches wanted links that are due. A timer calls it every 30 s. Resolves when done. */
export async function retryDueLinkPreviews(): Promise<void> {
  await Promise.all([...registryState().wantedUrls].filter(isDue).map(enqueueRefresh));
}

/**
 * Returns the image of the preview with this key, and its version; null if there is no image or it
 * cannot be fetched within 15 s. Fetches only URLs from known previews (SSRF).
 */
export async function findPreviewImage(
  key: string,
): Promise<(PreviewImage & { version: string }) | null> {
  if (!/^[0-9a-f]{32}$/.test(key)) return null;
  const imageUrl = findPreviewRecordByKey(key)?.embed?.imageUrl;
  if (!imageUrl) return null;
  const { imageRetryTimes } = registryState();
  if ((imageRetryTimes.get(imageUrl) ?? 0) > nowMs()) return null;
  try {
    return { ...(await getPreviewImage(imageUrl)), version: imageVersion(imageUrl) };
  } catch {
    imageRetryTimes.set(imageUrl, nowMs() + IMAGE_RETRY_DELAY_MS);
    return null;
  }
}

/** Clears memory and stops the timers. The cache file stays. For tests. */
export function resetLinkPreviews(): void {
  const state = peekSingleton<RegistryState>("link-previews");
  clearInterval(state?.retryTimer);
  clearTimeout(state?.notifyTimer);
  resetSingleton("link-previews");
}
