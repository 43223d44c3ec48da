// Builds the stylesheet of the owner's colors and fonts. It overrides tokens.css, and is empty
// without any.

import { GRAPHIC_CONTRAST, type ThemeColors, readableShades } from "#lib/core/color.ts";
import type { SiteConfig } from "#lib/core/site-config-schema.ts";

const lightDark = ({ light, dark }: ThemeColors) => `light-dark(${light}, ${dark})`;

/** What each font of site.config.ts replaces. Ours has separate files for italic and bold. */
const FONT_VARIABLES = {
  text: ["--font-text", "--font-text-italic", "--font-text-bold"],
  display: ["--font-display"],
  sans: ["--font-sans"],
  mono: ["--font-mono"],
} as const;

/** Returns CSS whose values the schema has checked, so that it can't close its element. */
export function siteStyle({ accent, teams, fonts }: SiteConfig): string {
  const tokens: string[] = [];
  if (accent) tokens.push(`--accent: ${lightDark(accent)}`);
  for (const [team, { color } = {}] of Object.entries(teams)) {
    if (!color) continue;
    const name = `--team-${team.toLowerCase()}`;
    tokens.push(
      `${name}: ${lightDark(color)}`,
      `${name}-dot: ${lightDark(readableShades(color, GRAPHIC_CONTRAST))}`,
    );
  }
  for (const [font, variables] of Object.entries(FONT_VARIABLES)) {
    const family = fonts[font as keyof typeof FONT_VARIABLES];
    if (family) tokens.push(...variables.map((variable) => `${variable}: ${family}`));
  }
  const faces = fonts.files.map(
    ({ family, file, weight, style }) =>
      `@font-face { font-family: "${family}"; src: url("${file}"); font-weight: ${weight}; font-style: ${style}; font-display: swap }`,
  );
  return [...faces, ...(tokens.length > 0 ? [`:root:root { ${tokens.join("; ")} }`] : [])].join(
    "\n",
  );
}
