// Draws the social image of a post, one at a time, and keeps it in the local cache file.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageResponse } from "next/og";
import sharp from "sharp";
import { z } from "zod";
import { SocialCard, type SocialCardProps } from "#components/post/social-card.tsx";
import { DAY_MS } from "#lib/core/clock.ts";
import { defineCache } from "#lib/cache/define-cache.ts";

export const SOCIAL_IMAGE_SIZE = { width: 1200, height: 630 } as const;

/** Raise it when the card looks different. */
const DESIGN_VERSION = 1;

// next/og reads woff, not woff2. Not followed by the bundler: it would take everything below the folder along.
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

/** The card as PNG. Sixty-four colours are enough for flat areas and letters, and keep it under 50 kB. */
export async function renderSocialImage(card: SocialCardProps): Promise<Buffer> {
  fonts ??= Promise.all(
    FONTS.map(async ({ name, weight, file }) => ({
      name,
      weight,
      style: "normal" as const,
      data: await readFile(join(/* turbopackIgnore: true */ FONTS_DIR, file)),
    })),
  );
  const drawn = await new ImageResponse(<SocialCard {...card} />, {
    ...SOCIAL_IMAGE_SIZE,
    fonts: await fonts,
  }).arrayBuffer();
  return sharp(Buffer.from(drawn))
    .png({ palette: true, colours: 64, dither: 0, effort: 7 })
    .toBuffer();
}

let queueTail: Promise<unknown> = Promise.resolve();

/** Drawing takes a good part of a second of the processor: a crawler that asks for every picture at once must not take the site. */
function runSerially<T>(draw: () => Promise<T>): Promise<T> {
  const turn = queueTail.then(draw, draw);
  queueTail = turn.catch(() => {});
  return turn;
}

/** The picture of a card as base64 of its PNG. */
export const socialImageCache = defineCache<SocialCardProps, string>({
  name: "social-image",
  version: DESIGN_VERSION,
  keyOf: ({ title, when, site, host, draft }) => JSON.stringify([title, when, site, host, draft]),
  schema: z.base64(),
  ttlMs: 365 * DAY_MS,
  timeoutMs: 30_000,
  produce: async (card) => (await runSerially(() => renderSocialImage(card))).toString("base64"),
});
