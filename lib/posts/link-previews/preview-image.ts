// Fetches, shrinks and caches the images of link previews, so that readers contact no third party.

import { createHash } from "node:crypto";
import { z } from "zod";
import { DAY_MS } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import { fetchBytes } from "#lib/outbound/fetch/guarded-fetch.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { type ImageType, detectImageType } from "#lib/posts/images/image-type.ts";

const MAX_BYTES = 2 * 1_048_576;
/** 16 megapixels: 64 MB decoded. */
const MAX_PIXELS = 16_000_000;
const WIDTH = 640;
const DECODE_SECONDS = 5;
/** Timeout of a cache fill, and maximum wait for the decoding semaphore. */
const TIMEOUT_MS = 15_000;

/** An SVG can contain scripts. */
const ALLOWED_TYPES: readonly (ImageType | null)[] = ["png", "jpg", "webp", "gif"];

// One at a time, because decoding takes a lot of memory.
const decoding = new Semaphore(1);

async function shrinkImage(
  bytes: Uint8Array,
): Promise<{ base64: string; width: number; height: number }> {
  // Loaded on demand: most processes never decode an image.
  const { default: sharp } = await import("sharp");
  const { data, info } = await sharp(bytes, {
    limitInputPixels: MAX_PIXELS,
    sequentialRead: true,
    failOn: "error",
  })
    .autoOrient()
    .resize({ width: WIDTH, height: WIDTH * 2, fit: "inside", withoutEnlargement: true })
    .webp({ quality: 74 })
    .timeout({ seconds: DECODE_SECONDS })
    .toBuffer({ resolveWithObject: true });
  return { base64: data.toString("base64"), width: info.width, height: info.height };
}

const imageCache = defineCache({
  name: "embed-image",
  version: 1,
  keyOf: (imageUrl: string) => imageVersion(imageUrl),
  schema: z.object({ base64: z.string(), width: z.number(), height: z.number() }),
  ttlMs: 30 * DAY_MS,
  swrMs: 365 * DAY_MS,
  timeoutMs: TIMEOUT_MS,
  async produce(imageUrl, { signal }) {
    const response = await fetchBytes(imageUrl, {
      accept: "image/webp,image/png,image/jpeg,image/gif",
      maxBytes: MAX_BYTES,
      signal,
    });
    if (response.status !== 200)
      throw new AppError(
        "unavailable",
        `The image's host responded with status ${response.status}.`,
      );
    if (!ALLOWED_TYPES.includes(detectImageType(response.bytes)))
      throw new AppError("invalid", "The image is neither PNG, JPEG, WebP nor GIF.");
    try {
      return await decoding.run(() => shrinkImage(response.bytes), {
        maxWaitMs: TIMEOUT_MS,
        message: "Too many pictures are being decoded.",
      });
    } catch (error) {
      throw new AppError("invalid", "The picture can't be read.", { cause: error });
    }
  },
});

/** Returns 32 hex digits that change with the image's URL. */
export function imageVersion(imageUrl: string): string {
  return createHash("sha256").update(imageUrl).digest("hex").slice(0, 32);
}

export interface PreviewImage {
  /** WebP, at most 640 pixels wide. */
  readonly base64: string;
  readonly width: number;
  readonly height: number;
}

/**
 * Returns the image, from the cache or fetched within 15 s. Throws AppError: invalid, unavailable,
 * too_large.
 */
export function getPreviewImage(imageUrl: string): Promise<PreviewImage> {
  return imageCache.get(imageUrl);
}
