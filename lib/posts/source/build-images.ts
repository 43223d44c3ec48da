// Makes the pictures of the content ready at build: sizes for every screen, small formats, a placeholder.

import { createHash } from "node:crypto";
import { access, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { gitBlobSha } from "./content-source.ts";
import {
  type BuiltImage,
  type BuiltImageManifest,
  MANIFEST_FILE,
  parseManifest,
} from "./image-manifest.ts";
import { readSvgSize } from "./svg-size.ts";

/** The widths of architecture: a phone, a phone with a dense screen or a column of text, a wide dense screen. */
export const IMAGE_WIDTHS = [480, 960, 1600] as const;

/** Changes when the same picture would be made differently: then everything is made anew. */
export const IMAGE_SETTINGS = `1 ${IMAGE_WIDTHS.join(" ")} avif:50:2 webp:78:4`;
const AVIF = { quality: 50, effort: 2 } as const;
const WEBP = { quality: 78, effort: 4 } as const;
/** Stands in every page that shows the picture, so it must be tiny. */
export const MAX_BLUR_BYTES = 400;

const RASTER = /\.(png|jpe?g|webp|avif)$/i;
const COPIED_UNCHANGED = /\.(svg|gif)$/i;

export interface ImageRoot {
  /** The folder with pictures, at any depth. */
  readonly dir: string;
  /** What stands before the path below `dir` in the manifest's key: 'blog/', '/images/'. */
  readonly prefix: string;
}

export interface ImageBuildResult {
  readonly made: number;
  readonly kept: number;
  readonly removed: number;
  /** Pictures that can't be read: left out of the manifest. */
  readonly failed: { readonly file: string; readonly reason: string }[];
}

/**
 * Makes every picture below `roots` into `outDir`, whose URL is `url`, and writes the manifest there. What is there
 * already for the same bytes is kept; what no picture uses any more is removed.
 */
export async function buildImages(
  roots: readonly ImageRoot[],
  outDir: string,
  url: string,
  onMade: (file: string, ms: number) => void = () => {},
): Promise<ImageBuildResult> {
  await mkdir(outDir, { recursive: true });
  const before = parseManifest(await readFile(join(outDir, MANIFEST_FILE), "utf8").catch(() => ""));
  const there = new Set(await readdir(outDir));
  const images: Record<string, BuiltImage> = {};
  const failed: ImageBuildResult["failed"] = [];
  let made = 0;
  let kept = 0;
  for (const { dir, prefix } of roots) {
    for (const path of await listPictures(dir)) {
      const key = prefix + path;
      const bytes = await readFile(join(dir, path));
      const hash = gitBlobSha(bytes);
      const known = before.settings === IMAGE_SETTINGS ? before.images[key] : undefined;
      if (known?.hash === hash && outputFilesOf(known, url).every((file) => there.has(file))) {
        images[key] = known;
        kept += 1;
        continue;
      }
      const startedMs = performance.now();
      try {
        images[key] = await buildImage(bytes, path, hash, outDir, url);
        made += 1;
        onMade(key, performance.now() - startedMs);
      } catch (error) {
        failed.push({ file: key, reason: (error as Error).message.split("\n")[0]! });
      }
    }
  }
  const manifest: BuiltImageManifest = { settings: IMAGE_SETTINGS, images };
  await writeFileAtomically(join(outDir, MANIFEST_FILE), JSON.stringify(manifest, null, 1));
  const used = new Set([
    MANIFEST_FILE,
    ...Object.values(images).flatMap((image) => outputFilesOf(image, url)),
  ]);
  const unused = (await readdir(outDir)).filter((file) => !used.has(file));
  await Promise.all(unused.map((file) => rm(join(outDir, file), { force: true })));
  return { made, kept, removed: unused.length, failed };
}

async function buildImage(
  bytes: Uint8Array,
  path: string,
  hash: string,
  outDir: string,
  url: string,
): Promise<BuiltImage> {
  const name = createHash("sha256").update(IMAGE_SETTINGS).update(bytes).digest("hex").slice(0, 16);
  const extension = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  if (extension === "svg") {
    const size = readSvgSize(Buffer.from(bytes).toString("utf8"));
    if (!size) throw new Error("The SVG has neither width and height nor a viewBox.");
    await writeFileAtomically(join(outDir, `${name}.svg`), bytes);
    return { src: `${url}/${name}.svg`, ...size, sources: [], hash };
  }
  const { width, height, blur } = await measureImage(bytes);
  if (extension === "gif") {
    await writeFileAtomically(join(outDir, `${name}.gif`), bytes);
    return { src: `${url}/${name}.gif`, width, height, blur, sources: [], hash };
  }
  // Never larger than it is; a picture between two widths also in its own.
  const largest = Math.min(width, IMAGE_WIDTHS[IMAGE_WIDTHS.length - 1]!);
  const widths = [...IMAGE_WIDTHS.filter((each) => each < largest), largest];
  const srcset = (format: string) =>
    widths.map((each) => `${url}/${name}-${each}.${format} ${each}w`).join(", ");
  for (const each of widths) {
    const resized = await sharp(bytes)
      .autoOrient()
      .resize({ width: each, withoutEnlargement: true })
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { info } = resized;
    const again = () =>
      sharp(resized.data, {
        raw: { width: info.width, height: info.height, channels: info.channels },
      });
    await writeFileAtomically(
      join(outDir, `${name}-${each}.avif`),
      await again().avif(AVIF).toBuffer(),
    );
    await writeFileAtomically(
      join(outDir, `${name}-${each}.webp`),
      await again().webp(WEBP).toBuffer(),
    );
  }
  return {
    src: `${url}/${name}-${largest}.webp`,
    width,
    height,
    blur,
    sources: [
      { type: "image/avif", srcset: srcset("avif") },
      { type: "image/webp", srcset: srcset("webp") },
    ],
    hash,
  };
}

/** Size and placeholder of a picture, as it is shown (a camera's rotation applied). Throws Error when the bytes are no picture. */
export async function measureImage(
  bytes: Uint8Array,
): Promise<{ width: number; height: number; blur: string }> {
  const { autoOrient } = await sharp(bytes).metadata();
  for (const side of [16, 8, 4]) {
    const tiny = await sharp(bytes)
      .autoOrient()
      .resize(side, side, { fit: "inside" })
      .webp({ quality: 20, alphaQuality: 20, effort: 6 })
      .toBuffer();
    const blur = `data:image/webp;base64,${tiny.toString("base64")}`;
    if (blur.length <= MAX_BLUR_BYTES || side === 4)
      return { width: autoOrient.width, height: autoOrient.height, blur };
  }
  throw new Error("unreachable");
}

function outputFilesOf({ src, sources }: BuiltImage, url: string): string[] {
  const urls = [
    src,
    ...sources.flatMap(({ srcset }) => srcset.split(", ").map((part) => part.split(" ")[0]!)),
  ];
  return urls.map((each) => each.slice(url.length + 1));
}

async function listPictures(dir: string): Promise<string[]> {
  try {
    await access(dir);
  } catch {
    return [];
  }
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter(
      (entry) =>
        entry.isFile() &&
        (RASTER.test(entry.name) || COPIED_UNCHANGED.test(entry.name)) &&
        !entry.name.startsWith("."),
    )
    .map((entry) =>
      join(entry.parentPath, entry.name).slice(join(dir, "/").length).replaceAll("\\", "/"),
    )
    .sort();
}

/** Never half a file: a build that is ended leaves whole files only. */
async function writeFileAtomically(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${file}.part`, content);
  await rename(`${file}.part`, file);
}
