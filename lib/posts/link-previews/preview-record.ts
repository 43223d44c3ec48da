// Fetches a link's preview, and caches it with its failures in the cache file.

import { z } from "zod";
import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { type DefinedCache, defineCache } from "#lib/cache/define-cache.ts";
import { type LinkPreview, linkPreviewKey, linkPreviewSchema } from "./link-preview.ts";
import { fetchLinkPreview } from "./fetch-link-preview.ts";
import { getPreviewImage, imageVersion } from "./preview-image.ts";

export const FRESH_TTL_MS = 7 * DAY_MS;
/** A preview without its image is fetched again sooner. */
const FRESH_WITHOUT_IMAGE_TTL_MS = DAY_MS;
export const MIN_RETRY_DELAY_MS = 10 * MINUTE_MS;
const MAX_RETRY_DELAY_MS = DAY_MS;
/** Covers two requests of 5 s for the text and 15 s for the image. */
const TIMEOUT_MS = 30_000;

const recordSchema = z.object({
  url: z.string(),
  /** The last successful preview, or null. */
  embed: linkPreviewSchema.nullable(),
  /** Consecutive failures. */
  failures: z.number(),
  /** When to fetch again (Unix time in ms). */
  nextAtMs: z.number(),
});

export type PreviewRecord = z.output<typeof recordSchema>;

interface RecordKey {
  readonly key: string;
  readonly url: string;
}

/**
 * Adds or subtracts up to 20% jitter, so that links that failed together are not retried together.
 */
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
  // `nextAtMs` decides when a record is due. Reading never fetches one.
  ttlMs: 365 * DAY_MS,
  timeoutMs: TIMEOUT_MS,
  async produce({ key, url }, { signal }) {
    const previous = recordCache.peek({ key, url });
    try {
      const { embed, failed } = await attachImage(await fetchLinkPreview(url, { signal }), signal);
      return {
        url,
        embed,
        failures: 0,
        nextAtMs: nowMs() + addJitter(failed ? FRESH_WITHOUT_IMAGE_TTL_MS : FRESH_TTL_MS, -1),
      };
    } catch (error) {
      return createFailureRecord(url, previous, error);
    }
  },
});

function createFailureRecord(
  url: string,
  previous: PreviewRecord | null,
  error: unknown,
): PreviewRecord {
  const failures = (previous?.failures ?? 0) + 1;
  const waitMs = addJitter(
    Math.min(MIN_RETRY_DELAY_MS * 2 ** Math.min(failures - 1, 20), MAX_RETRY_DELAY_MS),
    1,
  );
  // The jitter must not exceed the maximum.
  const nextAtMs = nowMs() + Math.min(waitMs, MAX_RETRY_DELAY_MS);
  log("info", "embeds.failed", {
    host: URL.canParse(url) ? new URL(url).host : "",
    reason: errorReason(error),
    failures,
    retryInMs: nextAtMs - nowMs(),
  });
  return { url, embed: previous?.embed ?? null, failures, nextAtMs };
}

/** Returns the cached record of `url`; never fetches. */
export function findPreviewRecord(url: string): PreviewRecord | null {
  return recordCache.peek({ key: linkPreviewKey(url), url });
}

/** Returns the cached record with this key; never fetches. */
export function findPreviewRecordByKey(key: string): PreviewRecord | null {
  return recordCache.peek({ key, url: "" });
}

/** Fetches `url` now. Never throws: a failure gives a record with the previous preview. */
export async function fetchPreviewRecord(url: string): Promise<PreviewRecord> {
  const recordKey = { key: linkPreviewKey(url), url };
  try {
    return await recordCache.refresh(recordKey);
  } catch (error) {
    const record = createFailureRecord(url, findPreviewRecord(url), error);
    recordCache.set(recordKey, record);
    return record;
  }
}
