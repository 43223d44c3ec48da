// Cards for the links in posts: looked up at once, made in the background, tried again later. No page waits for any of it.

import { LRUCache } from "lru-cache";
import { MINUTE_MS, nowMs } from "../base/clock.ts";
import { log } from "../base/log.ts";
import type { Embed } from "./embed.ts";
import { type CardImage, getCardImage, imageVersion } from "./image.ts";
import { type EmbedRecord, findRecord, findRecordByKey, makeRecord } from "./record.ts";

/** How many links are asked for at the same time. */
const CONCURRENCY = 3;
/** Links that are remembered and tried again; the reference has 236 in all its posts. */
const MAX_URLS = 5_000;
const MAX_URL_LENGTH = 2_000;
const RETRY_EVERY_MS = MINUTE_MS / 2;
/** Changes are told together: at the end of a run, or this long after the first of them. */
const TELL_AFTER_MS = 1_000;
/** How long a picture that could not be fetched is not asked for again. */
const IMAGE_FAILED_MS = 10 * MINUTE_MS;

type Listener = (urls: readonly string[]) => void;

interface Shared {
  /** What is known in this process; NOTHING stands for a look that found none. */
  readonly known: LRUCache<string, { readonly record: EmbedRecord | null }>;
  /** Links that the posts hold now, the longest wanted first. */
  readonly wanted: Set<string>;
  readonly running: Map<string, Promise<void>>;
  readonly queue: { url: string; start: () => void }[];
  active: number;
  readonly listeners: Set<Listener>;
  readonly changed: Set<string>;
  readonly failedImages: LRUCache<string, number>;
  tellTimer?: NodeJS.Timeout;
  retryTimer?: NodeJS.Timeout;
}

// One per process: pages and route handlers are bundled apart, each with its own copy of this module.
const holder = globalThis as { __lecternEmbeds?: Shared };

function shared(): Shared {
  holder.__lecternEmbeds ??= {
    known: new LRUCache({ max: MAX_URLS }),
    wanted: new Set(),
    running: new Map(),
    queue: [],
    active: 0,
    listeners: new Set(),
    changed: new Set(),
    failedImages: new LRUCache({ max: 1_000 }),
  };
  return holder.__lecternEmbeds;
}

function look(url: string): EmbedRecord | null {
  const { known } = shared();
  const hit = known.get(url);
  if (hit) return hit.record;
  const record = findRecord(url);
  known.set(url, { record });
  return record;
}

/** The card of `url` if one was ever made, however old; null otherwise. From memory or the local file: never waits for the network. */
export function findEmbed(url: string): Embed | null {
  return look(url)?.embed ?? null;
}

/** Tells `listener` which links have got another card, so that the pages that show them can be made anew. Returns what ends it. */
export function onEmbedsChanged(listener: Listener): () => void {
  const { listeners } = shared();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  const state = shared();
  clearTimeout(state.tellTimer);
  state.tellTimer = undefined;
  if (state.changed.size === 0) return;
  const urls = [...state.changed];
  state.changed.clear();
  for (const listener of state.listeners) {
    try {
      listener(urls);
    } catch (error) {
      log("error", "embeds.listener_failed", { error });
    }
  }
}

async function refresh(url: string): Promise<void> {
  const state = shared();
  const before = look(url);
  const record = await makeRecord(url);
  if (holder.__lecternEmbeds !== state) return;
  state.known.set(url, { record });
  if (JSON.stringify(before?.embed ?? null) === JSON.stringify(record.embed)) return;
  state.changed.add(url);
  state.tellTimer ??= setTimeout(tell, TELL_AFTER_MS).unref();
}

function pump(state: Shared): void {
  while (state.active < CONCURRENCY && state.queue.length > 0) {
    state.active++;
    state.queue.shift()!.start();
  }
}

function enqueue(url: string): Promise<void> {
  const state = shared();
  const already = state.running.get(url);
  if (already) return already;
  const turn = new Promise<void>((start) => state.queue.push({ url, start }));
  const done = turn
    .then(() => refresh(url))
    .catch((error: unknown) => log("error", "embeds.refresh_failed", { error }))
    .then(() => {
      state.running.delete(url);
      state.active--;
      if (state.running.size === 0 && holder.__lecternEmbeds === state) tell();
      else pump(state);
    });
  state.running.set(url, done);
  pump(state);
  return done;
}

const isDue = (url: string) => (look(url)?.nextAtMs ?? 0) <= nowMs();

function want(urls: Iterable<string>): void {
  const state = shared();
  for (const url of urls) {
    if (url.length > MAX_URL_LENGTH) continue;
    state.wanted.delete(url);
    state.wanted.add(url);
  }
  for (const url of state.wanted) {
    if (state.wanted.size <= MAX_URLS) break;
    state.wanted.delete(url);
  }
  state.retryTimer ??= setInterval(() => void retryEmbeds(), RETRY_EVERY_MS).unref();
}

/**
 * Wants cards for `urls` from now on and asks, in the background, for those that are due: never asked, older than
 * 7 days, or failed long enough ago (10 min, doubled with each failure up to a day). The promise resolves when the
 * asking is done and never rejects; a page does not wait for it.
 */
export async function refreshEmbeds(urls: Iterable<string>): Promise<void> {
  const asked = new Set(urls);
  want(asked);
  const { wanted } = shared();
  await Promise.all([...asked].filter((url) => wanted.has(url) && isDue(url)).map(enqueue));
}

/** As `refreshEmbeds`, and no other link is wanted any more: call it with the links of all posts when another version goes live. */
export async function setWantedEmbeds(urls: Iterable<string>): Promise<void> {
  const asked = [...urls];
  shared().wanted.clear();
  await refreshEmbeds(asked);
}

/** Asks again for what is wanted and due; a timer does it every 30 s. Resolves when that is done. */
export async function retryEmbeds(): Promise<void> {
  await Promise.all([...shared().wanted].filter(isDue).map(enqueue));
}

/**
 * The picture of the card whose key this is, with a tag that changes with it; null if there is no such card, it has
 * no picture, or the picture can't be had. Only URLs that a card names are ever fetched; then within 15 s.
 */
export async function findEmbedImage(
  key: string,
): Promise<(CardImage & { version: string }) | null> {
  if (!/^[0-9a-f]{32}$/.test(key)) return null;
  const imageUrl = findRecordByKey(key)?.embed?.imageUrl;
  if (!imageUrl) return null;
  const { failedImages } = shared();
  if ((failedImages.get(imageUrl) ?? 0) > nowMs()) return null;
  try {
    return { ...(await getCardImage(imageUrl)), version: imageVersion(imageUrl) };
  } catch {
    failedImages.set(imageUrl, nowMs() + IMAGE_FAILED_MS);
    return null;
  }
}

/** Forgets everything in memory and stops the timers; what is in the file stays. For tests. */
export function resetEmbeds(): void {
  const state = holder.__lecternEmbeds;
  clearInterval(state?.retryTimer);
  clearTimeout(state?.tellTimer);
  holder.__lecternEmbeds = undefined;
}
