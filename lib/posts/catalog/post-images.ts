// Resolves the images a post uses: those from the build, else the file itself with its measured
// size.

import { posix } from "node:path";
import { z } from "zod";
import { DAY_MS } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import { contentFileUrl, servedContentType } from "#lib/posts/source/content-file-response.ts";
import type { ContentFile, ContentSource, PostFile } from "#lib/posts/source/content-source.ts";
import type { Image, PostImages } from "#lib/posts/image.ts";
import type { BuiltImageManifest } from "#lib/posts/source/image-manifest.ts";
import { readSvgSize } from "#lib/posts/source/svg-size.ts";

interface MeasureInput {
  readonly source: ContentSource;
  readonly file: ContentFile;
}

type ImageSize = Pick<Image, "width" | "height" | "blur">;

/**
 * Caches the sizes of images that the build did not process, by Git's blob SHA. Sizes prevent
 * layout shift.
 */
const imageSizeCache = defineCache<MeasureInput, ImageSize>({
  name: "site.picture",
  version: 1,
  keyOf: ({ file }) => file.blobSha,
  schema: z.object({ width: z.number(), height: z.number(), blur: z.string().optional() }),
  ttlMs: 90 * DAY_MS,
  timeoutMs: 30_000,
  async produce({ source, file }) {
    const bytes = await source.readFile(file);
    if (/\.svg$/i.test(file.path)) {
      const size = readSvgSize(Buffer.from(bytes).toString("utf8"));
      if (size) return size;
      throw new Error("The SVG has neither width and height nor a viewBox.");
    }
    // Loads sharp on demand: a site whose images were all built never needs it in memory.
    const { measureImage } = await import("#lib/posts/source/build-images.ts");
    return measureImage(bytes);
  },
});

/**
 * Returns the images that `text` uses, keyed as written: "./hero.png" beside the post,
 * "/images/x.png" in public. Throws AppError(unavailable) if the source cannot deliver a file.
 */
export async function resolvePostImages(
  post: PostFile,
  text: string,
  builtImages: BuiltImageManifest["images"],
  source: ContentSource,
): Promise<PostImages> {
  const images: Record<string, Image> = {};
  const folder = posix.dirname(post.path);
  for (const file of post.assets) {
    const type = servedContentType(file.path);
    if (!type || !mentionsName(text, posix.basename(file.path))) continue;
    const name = `./${posix.relative(folder, file.path)}`;
    const built = Object.hasOwn(builtImages, file.path) ? builtImages[file.path]! : null;
    if (built?.hash === file.blobSha) {
      images[name] = built;
    } else if (type.startsWith("video/")) {
      images[name] = { src: contentFileUrl(file), width: 16, height: 9 };
    } else {
      const size = await findImageSize({ source, file });
      if (size) images[name] = { src: contentFileUrl(file), ...size };
    }
  }
  for (const [name, image] of Object.entries(builtImages)) {
    if (name.startsWith("/") && text.includes(name)) images[name] = image;
  }
  return images;
}

/** Returns whether `text` contains the file name, as is or URL-encoded. */
function mentionsName(text: string, name: string): boolean {
  return (
    text.includes(name) || text.includes(encodeURIComponent(name)) || text.includes(encodeURI(name))
  );
}

async function findImageSize(input: MeasureInput): Promise<ImageSize | null> {
  try {
    return await imageSizeCache.get(input);
  } catch (error) {
    if (isAppError(error, "unavailable")) throw error;
    log("warn", "content.image_unreadable", { file: input.file.path, error });
    return null;
  }
}

/** Returns the banner's image; undefined if there is no banner, or it is remote or unreadable. */
export function heroFromBanner(banner: string | undefined, images: PostImages): Image | undefined {
  return banner !== undefined && Object.hasOwn(images, banner) ? images[banner] : undefined;
}
