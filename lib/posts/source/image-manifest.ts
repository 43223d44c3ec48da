// What the build knows about each picture: its size, its formats and a placeholder.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { log } from "#lib/core/log.ts";

const builtImageSchema = z.object({
  /** URL of the file for browsers that want none of `sources`. */
  src: z.string(),
  /** Natural size in CSS pixels. */
  width: z.number().positive(),
  height: z.number().positive(),
  /** A data: URL of at most 400 bytes, shown until the picture is there. */
  blur: z.string().optional(),
  /** Other formats, best first; `srcset` with width descriptors. */
  sources: z.array(z.object({ type: z.string(), srcset: z.string() })),
  /** Git's name of the original's bytes: the entry is for this picture and no later one of the same name. */
  hash: z.string(),
});

/** One picture as the build made it. */
export type BuiltImage = z.output<typeof builtImageSchema>;

const manifestSchema = z.object({
  /** IMAGE_SETTINGS of the build that wrote it. */
  settings: z.string(),
  /** 'blog/x/hero.png' for a picture of the content, '/images/x.png' for one in public. */
  images: z.record(z.string(), builtImageSchema),
});

export type BuiltImageManifest = z.output<typeof manifestSchema>;

export const MANIFEST_FILE = "manifest.json";
const EMPTY_MANIFEST: BuiltImageManifest = { settings: "", images: {} };

/** The manifest as text of a file, or an empty one when it can't be used: it is rebuilt at any time. */
export function parseManifest(text: string): BuiltImageManifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return EMPTY_MANIFEST;
  }
}

let cachedManifest: { file: string; stamp: string; images: BuiltImageManifest } | undefined;

/** The pictures that scripts/build-images.ts made below `dir` (public/_img); none when it did not run. Read again when it changed. */
export function loadImageManifest(dir: string): BuiltImageManifest["images"] {
  const file = join(dir, MANIFEST_FILE);
  const stat = statSync(file, { throwIfNoEntry: false });
  const stamp = stat ? `${stat.mtimeMs} ${stat.size}` : "none";
  if (cachedManifest?.file !== file || cachedManifest.stamp !== stamp) {
    cachedManifest = {
      file,
      stamp,
      images: stat ? parseManifest(readFileSync(file, "utf8")) : EMPTY_MANIFEST,
    };
    if (cachedManifest.images === EMPTY_MANIFEST)
      log("warn", "content.no_images", {
        file,
        hint: "scripts/build-images.ts makes them; until then pictures are served as they are",
      });
  }
  return cachedManifest.images.images;
}
