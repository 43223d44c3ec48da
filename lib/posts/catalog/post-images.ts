// Which pictures a post can show, and what to show for each.

import { posix } from "node:path";
import { z } from "zod";
import { DAY_MS } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import { contentFileUrl, servedContentType } from "#lib/posts/source/content-file-response.ts";
import type { ContentFile, ContentSource, PostFile } from "#lib/posts/source/content-source.ts";
import type { BuiltImageManifest } from "#lib/posts/source/image-manifest.ts";
import { readSvgSize } from "#lib/posts/source/svg-size.ts";
import type { PostImage } from "#lib/posts/mdx/compiled-post.ts";
import type { HeroImage } from "#lib/posts/post.ts";

export type PostImages = Readonly<Record<string, PostImage>>;

/** A hero in every format the build made; `srcSet` is the one that every browser takes. */
export interface SiteHero extends HeroImage {
  /** Best first, for a `<picture>`. */
  readonly sources: readonly { readonly type: string; readonly srcset: string }[];
}

interface MeasureInput {
  readonly source: ContentSource;
  readonly file: ContentFile;
}

/** For pictures that were not there at build: their size, so that the page does not jump. By the name of the bytes. */
const imageSizeCache = defineCache<MeasureInput, { width: number; height: number; blur?: string }>({
  name: "site.picture",
  version: 1,
  keyOf: ({ file }) => file.blob,
  schema: z.object({ width: z.number(), height: z.number(), blur: z.string().optional() }),
  ttlMs: 90 * DAY_MS,
  timeoutMs: 30_000,
  async produce({ source, file }) {
    const bytes = await source.readFile(file);
    if (/\.svg$/i.test(file.path)) {
      const size = readSvgSize(Buffer.from(bytes).toString("utf8"));
      if (size) return size;
      throw new Error("The SVG says no size.");
    }
    // Loaded here only: a site whose pictures were all built never needs it in memory.
    const { measureImage } = await import("#lib/posts/source/build-images.ts");
    return measureImage(bytes);
  },
});

/**
 * Name as written in `text` → picture, for those that `text` names: files beside the post ("./hero.png") and files of
 * public ("/images/x.png"). Those that the build does not have in exactly this version are served as they are.
 * Throws AppError(unavailable) when the source can't give one.
 */
export async function resolvePostImages(
  post: PostFile,
  text: string,
  built: BuiltImageManifest["images"],
  source: ContentSource,
): Promise<PostImages> {
  const images: Record<string, PostImage> = {};
  const folder = posix.dirname(post.path);
  for (const file of post.beside) {
    const type = servedContentType(file.path);
    if (!type || !mentionsName(text, posix.basename(file.path))) continue;
    const name = `./${posix.relative(folder, file.path)}`;
    const known = Object.hasOwn(built, file.path) ? built[file.path]! : null;
    if (known?.hash === file.blob) {
      images[name] = withoutHash(known);
    } else if (type.startsWith("video/")) {
      images[name] = { src: contentFileUrl(file), width: 16, height: 9 };
    } else {
      const measured = await findImageSize({ source, file });
      if (measured) images[name] = { src: contentFileUrl(file), ...measured };
    }
  }
  for (const [name, image] of Object.entries(built)) {
    if (name.startsWith("/") && text.includes(name)) images[name] = withoutHash(image);
  }
  return images;
}

/** A name may be written as it is or as a URL writes it. */
function mentionsName(text: string, name: string): boolean {
  return (
    text.includes(name) || text.includes(encodeURIComponent(name)) || text.includes(encodeURI(name))
  );
}

async function findImageSize(
  input: MeasureInput,
): Promise<{ width: number; height: number; blur?: string } | null> {
  try {
    return await imageSizeCache.get(input);
  } catch (error) {
    if (isAppError(error, "unavailable")) throw error;
    log("warn", "content.picture_unreadable", { file: input.file.path, error });
    return null;
  }
}

function withoutHash({
  src,
  width,
  height,
  blur,
  sources,
}: BuiltImageManifest["images"][string]): PostImage {
  return { src, width, height, blur, sources };
}

/** The banner as a hero; undefined for none, for one of another site, and for one that can't be read. */
export function heroFromBanner(
  banner: string | undefined,
  images: PostImages,
): SiteHero | undefined {
  if (banner === undefined || !Object.hasOwn(images, banner)) return undefined;
  const { src, width, height, blur, sources = [] } = images[banner]!;
  const srcSet = sources.find(({ type }) => type === "image/webp")?.srcset;
  return { src, width, height, blur, sources, ...(srcSet && { srcSet }) };
}
