// Renders social images of posts, one at a time, and caches them in the local cache file.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageResponse } from "next/og";
import sharp from "sharp";
import { z } from "zod";
import { INK, SocialCard } from "#components/post/social-card.tsx";
import type { Logo } from "#components/ui/logo.tsx";
import { DAY_MS } from "#lib/core/clock.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import { log } from "#lib/core/log.ts";
import { Semaphore } from "#lib/core/semaphore.ts";
import { findImageFile } from "#lib/posts/catalog/site-catalog.ts";
import type { Image } from "#lib/posts/image.ts";
import { getVariant } from "#lib/posts/images/content-image.ts";
import { isDrawable } from "#lib/posts/social-image-text.ts";
import { drawText } from "./draw-text.ts";

export const SOCIAL_IMAGE_SIZE = { width: 1200, height: 630 } as const;

/** Increase this when the design changes. */
const DESIGN_VERSION = 3;

// next/og reads woff, not woff2. The bundler must not trace the folder: it would include all of it.
const FONTS_DIR = join(/* turbopackIgnore: true */ process.cwd(), "node_modules/@fontsource");
const FONTS = [
  { name: "Serif", weight: 500, file: "newsreader/files/newsreader-latin-500-normal.woff" },
  { name: "SerifExt", weight: 500, file: "newsreader/files/newsreader-latin-ext-500-normal.woff" },
  {
    name: "Sans",
    weight: 500,
    file: "instrument-sans/files/instrument-sans-latin-500-normal.woff",
  },
  {
    name: "Sans",
    weight: 600,
    file: "instrument-sans/files/instrument-sans-latin-600-normal.woff",
  },
  {
    name: "SansExt",
    weight: 500,
    file: "instrument-sans/files/instrument-sans-latin-ext-500-normal.woff",
  },
  {
    name: "SansExt",
    weight: 600,
    file: "instrument-sans/files/instrument-sans-latin-ext-600-normal.woff",
  },
] as const;

let fonts:
  Promise<{ name: string; weight: 500 | 600; style: "normal"; data: Buffer }[]> | undefined;

export interface SocialImage {
  readonly title: string;
  /** Date and reading time. */
  readonly when: string;
  readonly site: string;
  /** Host of the site. */
  readonly host: string;
  readonly draft: boolean;
  readonly accent: string;
  readonly logo: Logo;
  /** The post's hero image as a data: URL. */
  readonly hero?: string | undefined;
}

const TITLE_STYLE = {
  font: "DejaVu Serif, serif",
  sizes: [92, 78, 66, 56, 48, 40],
  color: INK,
  maxWidth: 1_000,
  maxHeight: 350,
} as const;
/** Next to a hero image. */
const NARROW_TITLE_STYLE = { ...TITLE_STYLE, sizes: [66, 56, 48, 40, 34], maxWidth: 610 } as const;
const SITE_STYLE = {
  font: "DejaVu Sans, sans bold",
  sizes: [30],
  maxWidth: 500,
  maxHeight: 50,
} as const;

/** Returns the card as PNG. 64 colors are enough for text and flat areas, and keep it under 50 kB; a picture takes 256. */
export async function renderSocialImage(card: SocialImage): Promise<Buffer> {
  fonts ??= Promise.all(
    FONTS.map(async ({ name, weight, file }) => ({
      name,
      weight,
      style: "normal" as const,
      data: await readFile(join(/* turbopackIgnore: true */ FONTS_DIR, file)),
    })),
  );
  const { title, site } = card;
  const drawn = {
    title: isDrawable(title)
      ? title
      : await drawText(title, card.hero ? NARROW_TITLE_STYLE : TITLE_STYLE),
    site: isDrawable(site) ? site : await drawText(site, { ...SITE_STYLE, color: card.accent }),
  };
  const image = await new ImageResponse(<SocialCard {...card} {...drawn} />, {
    ...SOCIAL_IMAGE_SIZE,
    fonts: await fonts,
  }).arrayBuffer();
  return sharp(Buffer.from(image))
    .png({ palette: true, effort: 7, ...(card.hero ? {} : { colours: 64, dither: 0 }) })
    .toBuffer();
}

// One at a time: drawing takes almost a second of CPU time, and a crawler may request every image.
const TIMEOUT_MS = 30_000;
const drawing = new Semaphore(1);

interface SocialImageRequest extends Omit<SocialImage, "hero"> {
  /** The blob of the post's hero image, if it has variants. */
  readonly heroSha?: string | undefined;
}

/** Returns the blob of a post's hero image; undefined for an SVG or an image on another host. */
export function findHeroSha(hero: Image | undefined): string | undefined {
  const srcset = hero?.sources?.find(({ type }) => type === "image/avif")?.srcset ?? "";
  return /\/_img\/([0-9a-f]{40})-\d+\.avif/.exec(srcset)?.[1];
}

/**
 * Returns the image as a data: URL that next/og can draw, or undefined, because a card works
 * without an image.
 */
async function readHero(blobSha: string): Promise<string | undefined> {
  try {
    const image = await findImageFile(blobSha);
    const bytes = image && (await getVariant(image, { blobSha, width: 960, format: "avif" }));
    if (!bytes) return undefined;
    const jpeg = await sharp(bytes).resize(860, 1_260, { fit: "cover" }).jpeg().toBuffer();
    return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
    // oxlint-disable-next-line lectern/no-swallowed-replay -- only reads
  } catch (error) {
    log("warn", "social_image.hero_failed", { blobSha, error });
    return undefined;
  }
}

/** The PNG of a card as base64. */
export const socialImageCache = defineCache<SocialImageRequest, string>({
  name: "social-image",
  version: DESIGN_VERSION,
  keyOf: ({ title, when, site, host, draft, accent, logo, heroSha }) =>
    JSON.stringify([title, when, site, host, draft, accent, logo, heroSha ?? ""]),
  schema: z.base64(),
  ttlMs: 365 * DAY_MS,
  timeoutMs: TIMEOUT_MS,
  produce: async ({ heroSha, ...text }) => {
    const hero = heroSha && (await readHero(heroSha));
    const card = hero ? { ...text, hero } : text;
    const limit = { maxWaitMs: TIMEOUT_MS, message: "Too many social images are being drawn." };
    return (await drawing.run(() => renderSocialImage(card), limit)).toString("base64");
  },
});
