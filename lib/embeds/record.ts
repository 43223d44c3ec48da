// What is known about one link, and how it becomes known: kept in the cache file, one producer.

import { z } from "zod";
import { DAY_MS, MINUTE_MS, nowMs } from "../base/clock.ts";
import { isAppError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { type DefinedCache, defineCache } from "../cache/cache.ts";
import { type Embed, embedKey, embedSchema } from "./embed.ts";
import { fetchEmbed } from "./fetch-embed.ts";
import { getCardImage, imageVersion } from "./image.ts";

export const FRESH_MS = 7 * DAY_MS;
/** A card whose picture could not be had is asked for again sooner. */
const FRESH_WITHOUT_IMAGE_MS = DAY_MS;
export const FIRST_RETRY_MS = 10 * MINUTE_MS;
const LAST_RETRY_MS = DAY_MS;
/** Two requests of 5 s for the text and 15 s for the picture, with room. */
const TIMEOUT_MS = 30_000;

const recordSchema = z.object({
  url: z.string(),
  /** The last card that could be made; null if none ever could. */
  embed: embedSchema.nullable(),
  /** Failures in a row since the last success. */
  failures: z.number(),
  /** When to ask again, in ms since 1970. */
  nextAtMs: z.number(),
});

export type EmbedRecord = z.output<typeof recordSchema>;

interface Name {
  readonly key: string;
  readonly url: string;
}

/** Up to a fifth more or less than asked, so that links which failed together are not asked together for ever. */
function jittered(ms: number, direction: 1 | -1): number {
  return Math.round(ms * (1 + direction * Math.random() * 0.2));
}

async function withImage(
  embed: Embed,
  signal: AbortSignal,
): Promise<{ embed: Embed; failed: boolean }> {
  if (!embed.imageUrl) return { embed, failed: false };
  signal.throwIfAborted();
  try {
    const { width, height } = await getCardImage(embed.imageUrl);
    const path = `/embed-image/${embedKey(embed.url)}?v=${imageVersion(embed.imageUrl).slice(0, 8)}`;
    return { embed: { ...embed, image: { path, width, height } }, failed: false };
  } catch (error) {
    log("info", "embeds.image_failed", {
      host: new URL(embed.imageUrl).host,
      reason: reasonOf(error),
    });
    return { embed, failed: true };
  }
}

function reasonOf(error: unknown): string {
  return isAppError(error) ? error.message : String(error);
}

const records: DefinedCache<Name, EmbedRecord> = defineCache<Name, EmbedRecord>({
  name: "embed",
  version: 1,
  keyOf: ({ key }) => key,
  check: recordSchema,
  // The record says itself when it is due; it is never produced by asking for it.
  ttlMs: 365 * DAY_MS,
  timeoutMs: TIMEOUT_MS,
  async produce({ key, url }, { signal }) {
    const before = records.peek({ key, url });
    try {
      const { embed, failed } = await withImage(await fetchEmbed(url, { signal }), signal);
      return {
        url,
        embed,
        failures: 0,
        nextAtMs: nowMs() + jittered(failed ? FRESH_WITHOUT_IMAGE_MS : FRESH_MS, -1),
      };
    } catch (error) {
      return failed(url, before, error);
    }
  },
});

function failed(url: string, before: EmbedRecord | null, error: unknown): EmbedRecord {
  const failures = (before?.failures ?? 0) + 1;
  const waitMs = jittered(
    Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20), LAST_RETRY_MS),
    1,
  );
  // The bound of the wait holds whatever the dice say.
  const nextAtMs = nowMs() + Math.min(waitMs, LAST_RETRY_MS);
  log("info", "embeds.failed", {
    host: URL.canParse(url) ? new URL(url).host : "",
    reason: reasonOf(error),
    failures,
    retryInMs: nextAtMs - nowMs(),
  });
  return { url, embed: before?.embed ?? null, failures, nextAtMs };
}

/** What the cache file knows about `url`; asks nobody. */
export function findRecord(url: string): EmbedRecord | null {
  return records.peek({ key: embedKey(url), url });
}

/** What the cache file knows under this key; asks nobody. */
export function findRecordByKey(key: string): EmbedRecord | null {
  return records.peek({ key, url: "" });
}

/** Asks for `url` now. A failure is a record too, with the old card if there was one: this never throws. */
export async function makeRecord(url: string): Promise<EmbedRecord> {
  const name = { key: embedKey(url), url };
  try {
    return await records.fresh(name);
  } catch (error) {
    const record = failed(url, findRecord(url), error);
    records.put(name, record);
    return record;
  }
}
