// Turns an image file of the content or of public/ into sizes, formats and a placeholder. Nothing
// is made before it is needed.

import { z } from "zod";
import { defineCache } from "#lib/cache/define-cache.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import type { Image } from "#lib/posts/image.ts";
import type { ContentFile } from "#lib/posts/source/content-source.ts";
import { IMAGE_FORMATS, IMAGE_WIDTHS, type ImageFormat } from "./image-job.ts";
import { runImageJob } from "./run-image-job.ts";
import { decodeXml } from "./sanitize-svg.ts";
import { readSvgSize } from "./svg-size.ts";

export interface ImageFile {
  readonly file: ContentFile;
  /** Where the file is served unchanged. */
  readonly url: string;
  read(): Promise<Uint8Array>;
}

const measurementSchema = z.object({
  width: z.number().optional(),
  height: z.number().optional(),
  /** If missing, the file is served unchanged. */
  blur: z.string().optional(),
  /** Why the file is served unchanged, for the author. */
  problem: z.string().optional(),
  /** Why the file can't be shown at all. */
  unreadable: z.string().optional(),
  /** It was not measured, and will be again after IMAGE_RETRY_MS. */
  isTemporary: z.boolean().optional(),
});
type Measurement = z.output<typeof measurementSchema>;

const TTL_MS = 90 * DAY_MS;
/** After a crash or timeout, which a busy machine may have caused. */
export const IMAGE_RETRY_MS = 60 * MINUTE_MS;
const MEASURE_WAIT_MS = 2 * MINUTE_MS;
const ENCODE_WAIT_MS = 10 * SECOND_MS;
/** The maximum width and height of a WebP image. */
const MAX_WEBP_SIDE = 16_383;
/** What browsers assume for an SVG without a size. */
const DEFAULT_SVG_SIZE = { width: 300, height: 150 };

const isSvg = (file: ContentFile) => /\.svg$/i.test(file.path);

const measurementCache = defineCache<ImageFile, Measurement>({
  name: "image.measurement",
  version: 1,
  keyOf: ({ file }) => `${file.blobSha} ${isSvg(file) ? "svg" : "raster"}`,
  schema: measurementSchema,
  ttlMs: TTL_MS,
  timeoutMs: 3 * MINUTE_MS,
  async produce({ file, read }, { setTtlMs }) {
    const bytes = await read();
    if (bytes.byteLength === 0) return { unreadable: "it is empty" };
    if (isSvg(file)) {
      const text = decodeXml(bytes);
      if (!/<(?:\w+:)?svg\b/i.test(text)) return { unreadable: "it has no svg element" };
      return readSvgSize(text) ?? DEFAULT_SVG_SIZE;
    }
    try {
      const result = await runImageJob({ kind: "measure", bytes }, MEASURE_WAIT_MS);
      return "measurement" in result ? result.measurement : {};
    } catch (error) {
      if (isAppError(error, "invalid")) return { unreadable: error.message };
      if (!isAppError(error, "timeout")) throw error;
      setTtlMs(IMAGE_RETRY_MS);
      return { problem: error.message, isTemporary: true };
    }
  },
});

interface VariantInput extends ImageFile {
  readonly width: number;
  readonly format: ImageFormat;
}

const variantKey = (blobSha: string, width: number, format: ImageFormat) =>
  `${blobSha}-${width}.${format}`;

const variantCache = defineCache<VariantInput, { base64: string }>({
  name: "image.variant",
  version: 1,
  keyOf: ({ file, width, format }) => variantKey(file.blobSha, width, format),
  schema: z.object({ base64: z.string() }),
  ttlMs: TTL_MS,
  timeoutMs: MINUTE_MS,
  async produce({ read, width, format }) {
    const result = await runImageJob(
      async () => ({ kind: "encode", bytes: await read(), width, format }),
      ENCODE_WAIT_MS,
    );
    return { base64: Buffer.from("bytes" in result ? result.bytes : []).toString("base64") };
  },
});

export interface DescribedImage {
  /** Null if the file can't be shown. */
  readonly image: Image | null;
  /** The problem with the file, for its author. */
  readonly problem?: string;
  /** True if the problem may be gone after IMAGE_RETRY_MS. */
  readonly isTemporary?: boolean;
}

/**
 * Returns how pages show the file; never throws for a broken one. Throws AppError(unavailable) if
 * the file can't be read now.
 */
export async function describeImage(image: ImageFile): Promise<DescribedImage> {
  return toDescribedImage(image, await measurementCache.get(image));
}

/** Like describeImage, but null if the file has not been measured yet. */
export function peekImage(image: ImageFile): Image | null {
  const measurement = measurementCache.peek(image);
  return measurement && toDescribedImage(image, measurement).image;
}

function toDescribedImage({ file, url }: ImageFile, measurement: Measurement): DescribedImage {
  const { width, height, blur, problem, unreadable, isTemporary } = measurement;
  if (unreadable !== undefined)
    return { image: null, problem: `it can't be read as an image: ${unreadable}` };
  const warning = problem && {
    problem: `it is served unchanged: ${problem}`,
    ...(isTemporary && { isTemporary }),
  };
  if (isSvg(file)) return { image: { src: `/_img/${file.blobSha}.svg`, width, height } };
  const widths = listWidths(file, measurement);
  if (widths.length === 0) return { image: { src: url, width, height, blur }, ...warning };
  const [avif, webp] = IMAGE_FORMATS.map((format) =>
    widths.map((each) => `/_img/${variantKey(file.blobSha, each, format)} ${each}w`).join(", "),
  ) as [string, string];
  const src = `/_img/${variantKey(file.blobSha, widths.at(-1)!, "webp")}`;
  return {
    image: {
      src,
      width,
      height,
      blur,
      srcset: webp,
      sources: [{ type: "image/avif", srcset: avif }],
    },
  };
}

/**
 * Returns the widths that are offered. None for an animated image, or one that can't be decoded.
 */
function listWidths(file: ContentFile, { width, height, blur }: Measurement): number[] {
  if (!width || !height || blur === undefined || /\.gif$/i.test(file.path)) return [];
  // Never upscales. An image between two widths also gets its own width.
  const largest = Math.min(width, IMAGE_WIDTHS[IMAGE_WIDTHS.length - 1]!);
  return [...IMAGE_WIDTHS.filter((each) => each < largest), largest].filter(
    (each) => Math.ceil((each * height) / width) <= MAX_WEBP_SIDE,
  );
}

export interface VariantName {
  readonly blobSha: string;
  readonly width: number;
  readonly format: ImageFormat;
}

/** Parses "SHA-480.avif"; null for any other name. */
export function parseVariantName(name: string): VariantName | null {
  const match = /^([0-9a-f]{40})-([1-9]\d{0,3})\.(avif|webp)$/.exec(name);
  return match && { blobSha: match[1]!, width: Number(match[2]), format: match[3] as ImageFormat };
}

/** Returns a variant that has been made before, even if its original is gone; else null. */
export function peekVariant({ blobSha, width, format }: VariantName): Uint8Array | null {
  const file = { path: "", blobSha, bytes: 0 };
  const stored = variantCache.peek({ file, url: "", read: neverRead, width, format });
  return stored && Buffer.from(stored.base64, "base64");
}

const neverRead = () => Promise.reject(new Error("Only stored variants are read."));

/**
 * Returns the file in this width and format, from the cache or made now; null if it is not offered.
 * Throws AppError.
 */
export async function getVariant(
  image: ImageFile,
  { width, format }: VariantName,
): Promise<Uint8Array | null> {
  if (isSvg(image.file)) return null;
  if (!listWidths(image.file, await measurementCache.get(image)).includes(width)) return null;
  const { base64 } = await variantCache.get({ ...image, width, format });
  return Buffer.from(base64, "base64");
}
