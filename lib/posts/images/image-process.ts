// Measures and encodes images in a separate process: a broken image can't crash the site, and the
// decoder's memory is released.

import sharp from "sharp";
import {
  MAX_BLUR_BYTES,
  MAX_IMAGE_PIXELS,
  type ImageFormat,
  type ImageJob,
  type ImageJobResult,
  type ImageMeasurement,
} from "./image-job.ts";

const AVIF = { quality: 50, effort: 2 } as const;
const WEBP = { quality: 78, effort: 4 } as const;

sharp.cache(false);
sharp.concurrency(1);

process.on("message", (job: ImageJob) => {
  runJob(job).then(
    (result) => process.send!(result),
    (error: unknown) =>
      process.send!({ ok: false, reason: describeError(error) } satisfies ImageJobResult),
  );
});
// The site exited without sending a signal to this process.
process.on("disconnect", () => process.exit());

async function runJob(job: ImageJob): Promise<ImageJobResult> {
  return job.kind === "measure"
    ? { ok: true, measurement: await measure(job.bytes) }
    : { ok: true, bytes: await encode(job.bytes, job.width, job.format) };
}

const decode = (bytes: Uint8Array) =>
  sharp(bytes, { limitInputPixels: MAX_IMAGE_PIXELS, sequentialRead: true }).autoOrient();

/** Throws if the header can't be read, because browsers can't show such a file. */
async function measure(bytes: Uint8Array): Promise<ImageMeasurement> {
  const { autoOrient, pages = 1 } = await sharp(bytes, { limitInputPixels: false }).metadata();
  const { width, height } = autoOrient;
  if (pages > 1 || isAnimatedPng(bytes)) return { width, height };
  try {
    return { width, height, blur: await makeBlur(bytes) };
  } catch (error) {
    return { width, height, problem: describeError(error) };
  }
}

async function makeBlur(bytes: Uint8Array): Promise<string> {
  for (const side of [16, 8, 4]) {
    const tiny = await decode(bytes)
      .resize(side, side, { fit: "inside" })
      .webp({ quality: 20, alphaQuality: 20, effort: 6 })
      .toBuffer();
    const blur = `data:image/webp;base64,${tiny.toString("base64")}`;
    if (blur.length <= MAX_BLUR_BYTES || side === 4) return blur;
  }
  throw new Error("unreachable");
}

async function encode(bytes: Uint8Array, width: number, format: ImageFormat): Promise<Uint8Array> {
  const resized = decode(bytes).resize({ width, withoutEnlargement: true }).toColourspace("srgb");
  return format === "avif" ? resized.avif(AVIF).toBuffer() : resized.webp(WEBP).toBuffer();
}

/** An animated PNG has this chunk before its pixels. Sharp sees its first frame only. */
function isAnimatedPng(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 65_536));
  return start.subarray(1, 4).toString("latin1") === "PNG" && start.includes("acTL");
}

function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0]!.slice(0, 200);
}
