// Builds the content's images: sizes for every screen, compact formats and a placeholder.

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

/** For a phone, a high-density phone or the text column, and a wide high-density screen. */
export const IMAGE_WIDTHS = [480, 960, 1600] as const;

/** Part of each file name. If it changes, all images are rebuilt. */
export const IMAGE_SETTINGS = `1 ${IMAGE_WIDTHS.join(" ")} avif:50:2 webp:78:4`;
const AVIF = { quality: 50, effort: 2 } as const;
const WEBP = { quality: 78, effort: 4 } as const;
/** Every page with the image contains the placeholder, so it must be tiny. */
export const MAX_BLUR_BYTES = 400;

const RASTER = /\.(png|jpe?g|webp|avif)$/i;
const COPIED_UNCHANGED = /\.(svg|gif)$/i;

export interface ImageRoot {
  /** The folder to search, recursively. */
  readonly dir: string;
  /** Prefix of the keys in the manifest: 'blog/', '/images/'. */
  readonly prefix: string;
}

export interface ImageBuildResult {
  readonly builtCount: number;
  readonly reusedCount: number;
  readonly removedCount: number;
  /** Images that cannot be read: the manifest omits them. */
  readonly failures: { readonly file: string; readonly reason: string }[];
}

/**
 * Builds every image in `roots` into `outDir`, whose URL is `url`, and writes the manifest. Reuses
 * the files of unchanged images and removes unused ones.
 */
export async function buildImages(
  roots: readonly ImageRoot[],
  outDir: string,
  url: string,
  onBuilt: (file: string, ms: number) => void = () => {},
): Promise<ImageBuildResult> {
  await mkdir(outDir, { recursive: true });
  const previous = parseManifest(
    await readFile(join(outDir, MANIFEST_FILE), "utf8").catch(() => ""),
  );
  const existingFiles = new Set(await readdir(outDir));
  const images: Record<string, BuiltImage> = {};
  const failures: ImageBuildResult["failures"] = [];
  let builtCount = 0;
  let reusedCount = 0;
  for (const { dir, prefix } of roots) {
    for (const path of await listImageFiles(dir)) {
      const key = prefix + path;
      const bytes = await readFile(join(dir, path));
      const hash = gitBlobSha(bytes);
      const image = previous.settings === IMAGE_SETTINGS ? previous.images[key] : undefined;
      if (
        image?.hash === hash &&
        outputFilesOf(image, url).every((file) => existingFiles.has(file))
      ) {
        images[key] = image;
        reusedCount += 1;
        continue;
      }
      const startedMs = performance.now();
      try {
        images[key] = await buildImage(bytes, path, hash, outDir, url);
        builtCount += 1;
        onBuilt(key, performance.now() - startedMs);
      } catch (error) {
        failures.push({ file: key, reason: (error as Error).message.split("\n")[0]! });
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
  return { builtCount, reusedCount, removedCount: unused.length, failures };
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
  // Never upscales. An image between two widths also gets its own width.
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
    const fromRaw = () =>
      sharp(resized.data, {
        raw: { width: info.width, height: info.height, channels: info.channels },
      });
    await writeFileAtomically(
      join(outDir, `${name}-${each}.avif`),
      await fromRaw().avif(AVIF).toBuffer(),
    );
    await writeFileAtomically(
      join(outDir, `${name}-${each}.webp`),
      await fromRaw().webp(WEBP).toBuffer(),
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

/**
 * Returns size and placeholder of an image, with its orientation applied. Throws Error if it is not
 * an image.
 */
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

async function listImageFiles(dir: string): Promise<string[]> {
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

/** Writes atomically, so that an interrupted build leaves only complete files. */
async function writeFileAtomically(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${file}.part`, content);
  await rename(`${file}.part`, file);
}
