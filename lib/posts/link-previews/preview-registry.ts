// Cards for the links in posts: looked up at once, made in the background, tried again later. No page waits for any of it.

import { LRUCache } from "lru-cache";
import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
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

/** How many links are asked for at the same time. */
const CONCURRENCY = 3;
/** Links that are remembered and tried again; the reference has 236 in all its posts. */
const MAX_URLS = 5_000;
const MAX_URL_LENGTH = 2_000;
const RETRY_INTERVAL_MS = MINUTE_MS / 2;
/** Changes are told together: at the end of a run, or this long after the first of them. */
const NOTIFY_DELAY_MS = 1_000;
/** How long a picture that could not be fetched is not asked for again. */
const IMAGE_RETRY_DELAY_MS = 10 * MINUTE_MS;

type Listener = (urls: readonly string[]) => void;

interface RegistryState {
  /** What is known in this process; NOTHING stands for a look that found none. */
  readonly recordsByUrl: LRUCache<string, { readonly record: PreviewRecord | null }>;
  /** Links that the posts hold now, the longest wanted first. */
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

/** The card of `url` if one was ever made, however old; null otherwise. From memory or the local file: never waits for the network. */
export function findLinkPreview(url: string): LinkPreview | null {
  return loadRecord(url)?.embed ?? null;
}

/** Tells `listener` which links have got another card, so that the pages that show them can be made anew. Returns what ends it. */
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
  const before = loadRecord(url);
  const record = await fetchPreviewRecord(url);
  if (peekSingleton("link-previews") !== state) return;
  state.recordsByUrl.set(url, { record });
  if (JSON.stringify(before?.embed ?? null) === JSON.stringify(record.embed)) return;
  state.changedUrls.add(url);
  state.notifyTimer ??= setTimeout(notifyListeners, NOTIFY_DELAY_MS).unref();
}

function enqueueRefresh(url: string): Promise<void> {
  const state = registryState();
  const already = state.refreshesByUrl.get(url);
  if (already) return already;
  const done = state.semaphore
    .run(() => refreshRecord(url), { maxWaitMs: HOUR_MS, message: "Too many link previews wait." })
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
 * Wants cards for `urls` from now on and asks, in the background, for those that are due: never asked, older than
 * 7 days, or failed long enough ago (10 min, doubled with each failure up to a day). The promise resolves when the
 * asking is done and never rejects; a page does not wait for it.
 */
export async function refreshLinkPreviews(urls: Iterable<string>): Promise<void> {
  const asked = new Set(urls);
  addWantedUrls(asked);
  const { wantedUrls } = registryState();
  await Promise.all(
    [...asked].filter((url) => wantedUrls.has(url) && isDue(url)).map(enqueueRefresh),
  );
}

/** As `refreshEmbeds`, and no other link is wanted any more: call it with the links of all posts when another version goes live. */
export async function setWantedLinkPreviews(urls: Iterable<string>): Promise<void> {
  const asked = [...urls];
  registryState().wantedUrls.clear();
  await refreshLinkPreviews(asked);
}

/** Asks again for what is wanted and due; a timer does it every 30 s. Resolves when that is done. */
export async function retryDueLinkPreviews(): Promise<void> {
  await Promise.all([...registryState().wantedUrls].filter(isDue).map(enqueueRefresh));
}

/**
 * The picture of the card whose key this is, with a tag that changes with it; null if there is no such card, it has
 * no picture, or the picture can't be had. Only URLs that a card names are ever fetched; then within 15 s.
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

/** Forgets everything in memory and stops the timers; what is in the file stays. For tests. */
export function resetLinkPreviews(): void {
  const state = peekSingleton<RegistryState>("link-previews");
  clearInterval(state?.retryTimer);
  clearTimeout(state?.notifyTimer);
  resetSingleton("link-previews");
}
