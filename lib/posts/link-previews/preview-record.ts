// What is known about one link, and how it becomes known: kept in the cache file, one producer.

import { z } from "zod";
import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { type DefinedCache, defineCache } from "#lib/cache/define-cache.ts";
import { type LinkPreview, linkPreviewKey, linkPreviewSchema } from "./link-preview.ts";
import { fetchLinkPreview } from "./fetch-link-preview.ts";
import { getPreviewImage, imageVersion } from "./preview-image.ts";

export const FRESH_TTL_MS = 7 * DAY_MS;
/** A card whose picture could not be had is asked for again sooner. */
const FRESH_WITHOUT_IMAGE_TTL_MS = DAY_MS;
export const MIN_RETRY_DELAY_MS = 10 * MINUTE_MS;
const MAX_RETRY_DELAY_MS = DAY_MS;
/** Two requests of 5 s for the text and 15 s for the picture, with room. */
const TIMEOUT_MS = 30_000;

const recordSchema = z.object({
  url: z.string(),
  /** The last card that could be made; null if none ever could. */
  embed: linkPreviewSchema.nullable(),
  /** Failures in a row since the last success. */
  failures: z.number(),
  /** When to ask again, in ms since 1970. */
  nextAtMs: z.number(),
});

export type PreviewRecord = z.output<typeof recordSchema>;

interface RecordKey {
  readonly key: string;
  readonly url: string;
}

/** Up to a fifth more or less than asked, so that links which failed together are not asked together for ever. */
function addJitter(ms: number, direction: 1 | -1): number {
  return Math.round(ms * (1 + direction * Math.random() * 0.2));
}

async function attachImage(
  embed: LinkPreview,
  signal: AbortSignal,
): Promise<{ embed: LinkPreview; failed: boolean }> {
  if (!embed.imageUrl) return { embed, failed: false };
  signal.throwIfAborted();
  try {
    const { width, height } = await getPreviewImage(embed.imageUrl);
    const path = `/embed-image/${linkPreviewKey(embed.url)}?v=${imageVersion(embed.imageUrl).slice(0, 8)}`;
    return { embed: { ...embed, image: { path, width, height } }, failed: false };
  } catch (error) {
    log("info", "embeds.image_failed", {
      host: new URL(embed.imageUrl).host,
      reason: errorReason(error),
    });
    return { embed, failed: true };
  }
}

function errorReason(error: unknown): string {
  return isAppError(error) ? error.message : String(error);
}

const recordCache: DefinedCache<RecordKey, PreviewRecord> = defineCache<RecordKey, PreviewRecord>({
  name: "embed",
  version: 1,
  keyOf: ({ key }) => key,
  schema: recordSchema,
  // The record says itself when it is due; it is never produced by asking for it.
  ttlMs: 365 * DAY_MS,
  timeoutMs: TIMEOUT_MS,
  async produce({ key, url }, { signal }) {
    const before = recordCache.peek({ key, url });
    try {
      const { embed, failed } = await attachImage(await fetchLinkPreview(url, { signal }), signal);
      return {
        url,
        embed,
        failures: 0,
        nextAtMs: nowMs() + addJitter(failed ? FRESH_WITHOUT_IMAGE_TTL_MS : FRESH_TTL_MS, -1),
      };
    } catch (error) {
      return createFailureRecord(url, before, error);
    }
  },
});

function createFailureRecord(
  url: string,
  before: PreviewRecord | null,
  error: unknown,
): PreviewRecord {
  const failures = (before?.failures ?? 0) + 1;
  const waitMs = addJitter(
    Math.min(MIN_RETRY_DELAY_MS * 2 ** Math.min(failures - 1, 20), MAX_RETRY_DELAY_MS),
    1,
  );
  // The bound of the wait holds whatever the dice say.
  const nextAtMs = nowMs() + Math.min(waitMs, MAX_RETRY_DELAY_MS);
  log("info", "embeds.failed", {
    host: URL.canParse(url) ? new URL(url).host : "",
    reason: errorReason(error),
    failures,
    retryInMs: nextAtMs - nowMs(),
  });
  return { url, embed: before?.embed ?? null, failures, nextAtMs };
}

/** What the cache file knows about `url`; asks nobody. */
export function findPreviewRecord(url: string): PreviewRecord | null {
  return recordCache.peek({ key: linkPreviewKey(url), url });
}

/** What the cache file knows under this key; asks nobody. */
export function findPreviewRecordByKey(key: string): PreviewRecord | null {
  return recordCache.peek({ key, url: "" });
}

/** Asks for `url` now. A failure is a record too, with the old card if there was one: this never throws. */
export async function fetchPreviewRecord(url: string): Promise<PreviewRecord> {
  const name = { key: linkPreviewKey(url), url };
  try {
    return await recordCache.refresh(name);
  } catch (error) {
    const record = createFailureRecord(url, findPreviewRecord(url), error);
    recordCache.set(name, record);
    return record;
  }
}
