// Draws the site's icon: its logo on a square of its accent color, as SVG, and as PNG for home screens.

import sharp from "sharp";
import { DEFAULT_ACCENT, PAPER, THEMES } from "#lib/core/color.ts";
import type { SiteConfig } from "#lib/core/site-config-schema.ts";

const SIZE = 32;

type IconConfig = Pick<SiteConfig, "logo" | "accent">;

/** Returns the icon for browser tabs, which follows the color scheme. */
export function siteIconSvg(config: IconConfig): string {
  const accent = config.accent ?? DEFAULT_ACCENT;
  const [light, dark] = THEMES.map(
    (theme) => `.g{fill:${accent[theme]}}.l{${paintOf(config.logo)}:${PAPER[theme]}}`,
  );
  return drawIcon(config.logo, `${light}@media(prefers-color-scheme:dark){${dark}}`, 6);
}

/**
 * Returns the icon as PNG, `size` pixels wide. It has no rounded corners or dark colors, because
 * operating systems mask and color icons themselves.
 */
export function siteIconPng(config: IconConfig, size: number): Promise<Buffer> {
  const accent = (config.accent ?? DEFAULT_ACCENT).light;
  const svg = drawIcon(config.logo, `.g{fill:${accent}}.l{${paintOf(config.logo)}:${PAPER.light}}`);
  return sharp(Buffer.from(svg), { density: (72 * size) / SIZE })
    .resize(size, size)
    .png({ palette: true, colours: 32 })
    .toBuffer();
}

const paintOf = ({ stroke }: SiteConfig["logo"]) => (stroke === undefined ? "fill" : "stroke");

function drawIcon({ path, size, stroke }: SiteConfig["logo"], style: string, radius = 0): string {
  const shape =
    stroke === undefined
      ? ""
      : ` fill="none" stroke-width="${stroke}" stroke-linejoin="round" stroke-linecap="round"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}"><style>${style}</style><rect class="g" width="${SIZE}" height="${SIZE}" rx="${radius}"/><path class="l" transform="translate(4 4) scale(${24 / size})" d="${path}"${shape}/></svg>`;
}
