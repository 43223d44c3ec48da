// Draws the art of an episode: its waveform and the site's logo on the accent color.

import sharp from "sharp";
import { DEFAULT_ACCENT, PAPER } from "#lib/core/color.ts";
import type { SiteConfig } from "#lib/core/site-config-schema.ts";

type ArtConfig = Pick<SiteConfig, "logo" | "accent">;

export interface ArtSize {
  readonly width: number;
  readonly height: number;
}

export const BARS = 36;
/** In units of the drawing, whose height is 100. */
const BAR_GAP = 0.42;
const LOGO_UNITS = 12;
const MIN_BAR_UNITS = 1.6;
const MAX_BAR_UNITS = 52;

/** `levels` are from 0 to 1. Null: the logo alone, large. */
export function drawArt(
  { logo, accent }: ArtConfig,
  levels: readonly number[] | null,
  { width, height }: ArtSize,
): Promise<Buffer> {
  const units = (100 * width) / height;
  const paint =
    logo.stroke === undefined
      ? `fill="${PAPER.light}"`
      : `fill="none" stroke="${PAPER.light}" stroke-width="${logo.stroke}" stroke-linejoin="round" stroke-linecap="round"`;
  const placeLogo = (size: number, x: number, y: number) =>
    `<path ${paint} transform="translate(${x} ${y}) scale(${size / logo.size})" d="${logo.path}"/>`;
  const shapes = levels
    ? drawBars(levels, units) + placeLogo(LOGO_UNITS, 10, 100 - 10 - LOGO_UNITS)
    : placeLogo(50, units / 2 - 25, 25);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${units} 100" width="${width}" height="${height}"><rect width="${units}" height="100" fill="${(accent ?? DEFAULT_ACCENT).light}"/>${shapes}</svg>`;
  // A palette would make the file much smaller but take five times as long.
  return sharp(Buffer.from(svg)).removeAlpha().png({ compressionLevel: 9 }).toBuffer();
}

function drawBars(levels: readonly number[], units: number): string {
  const step = (units - 20) / levels.length;
  const bars = levels.map((level, i) => {
    const height = Math.max(MIN_BAR_UNITS, level * MAX_BAR_UNITS);
    const width = step * (1 - BAR_GAP);
    return `<rect x="${(10 + i * step + (step - width) / 2).toFixed(2)}" y="${(42 - height / 2).toFixed(2)}" width="${width.toFixed(2)}" height="${height.toFixed(2)}" rx="${(width / 2).toFixed(2)}"/>`;
  });
  return `<g fill="${PAPER.light}">${bars.join("")}</g>`;
}
