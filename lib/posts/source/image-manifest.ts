// Reads the manifest of the images that the build processed, with size, formats and placeholder of
// each.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { log } from "#lib/core/log.ts";
import type { Image } from "#lib/posts/image.ts";

/** An image as the build processed it. */
export interface BuiltImage extends Image {
  readonly sources: NonNullable<Image["sources"]>;
  /** Git's blob SHA of the original. A later file with the same name does not match. */
  readonly hash: string;
}

const builtImageSchema: z.ZodType<BuiltImage> = z.object({
  src: z.string(),
  width: z.number().positive(),
  height: z.number().positive(),
  blur: z.string().optional(),
  sources: z.array(z.object({ type: z.string(), srcset: z.string() })),
  hash: z.string(),
});

const manifestSchema = z.object({
  /** IMAGE_SETTINGS of the build that wrote the manifest. */
  settings: z.string(),
  /** 'blog/x/hero.png' for an image of the content, '/images/x.png' for one in public. */
  images: z.record(z.string(), builtImageSchema),
});

export type BuiltImageManifest = z.output<typeof manifestSchema>;

export const MANIFEST_FILE = "manifest.json";
const EMPTY_MANIFEST: BuiltImageManifest = { settings: "", images: {} };

/** Parses a manifest file. An invalid one counts as empty, since it can be rebuilt at any time. */
export function parseManifest(text: string): BuiltImageManifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return EMPTY_MANIFEST;
  }
}

let cachedManifest: { file: string; stamp: string; manifest: BuiltImageManifest } | undefined;

/**
 * Returns the images that scripts/build-images.ts built in `dir` (public/_img). Rereads a changed
 * manifest.
 */
export function loadImageManifest(dir: string): BuiltImageManifest["images"] {
  const file = join(dir, MANIFEST_FILE);
  const stat = statSync(file, { throwIfNoEntry: false });
  const stamp = stat ? `${stat.mtimeMs} ${stat.size}` : "none";
  if (cachedManifest?.file !== file || cachedManifest.stamp !== stamp) {
    cachedManifest = {
      file,
      stamp,
      manifest: stat ? parseManifest(readFileSync(file, "utf8")) : EMPTY_MANIFEST,
    };
    if (cachedManifest.manifest === EMPTY_MANIFEST)
      log("warn", "content.no_images", {
        file,
        hint: "scripts/build-images.ts builds them; until then images are served as they are",
      });
  }
  return cachedManifest.manifest.images;
}
