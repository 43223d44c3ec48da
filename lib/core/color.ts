// Computes contrast (WCAG 2.2) and the shades of a color that are readable in both themes.

export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
/** A color for each theme, as #rrggbb. */
export type ThemeColors = Readonly<Record<Theme, string>>;

/**
 * The backgrounds with the least contrast: --paper-3 of tokens.css. A color that is readable on
 * them is readable everywhere.
 */
export const BACKGROUNDS: ThemeColors = { light: "#e9ebe5", dark: "#242927" };
/** WCAG 2.2, level AA: 1.4.3 for text, 1.4.11 for graphics. */
/** The background of pages, as in components/ui/tokens.css. */
export const PAPER: ThemeColors = { light: "#fbfbf9", dark: "#141716" };
/** Of a site that sets none, as in components/ui/tokens.css. */
export const DEFAULT_ACCENT: ThemeColors = { light: "#1a5b4a", dark: "#86cbb2" };
export const TEXT_CONTRAST = 4.5;
export const GRAPHIC_CONTRAST = 3;

type Triple = readonly [number, number, number];

const toLinear = (value: number) =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const fromLinear = (value: number) =>
  value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;

const linearRgb = (hex: string): Triple => {
  const [r, g, b] = [1, 3, 5].map((at) => toLinear(parseInt(hex.slice(at, at + 2), 16) / 255));
  return [r!, g!, b!];
};

function luminance(hex: string): number {
  const [r, g, b] = linearRgb(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Returns the contrast ratio of two colors (#rrggbb), from 1 to 21. */
export function contrastRatio(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

/** Returns Oklab lightness, a and b (https://bottosson.github.io/posts/oklab/). */
function toOklab(hex: string): Triple {
  const [r, g, b] = linearRgb(hex);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** Returns null if the color is outside sRGB. */
function fromOklab([lightness, a, b]: Triple): string | null {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  if (rgb.some((value) => value < -0.001 || value > 1.001)) return null;
  const hex = rgb.map((value) =>
    Math.round(fromLinear(Math.min(1, Math.max(0, value))) * 255)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

/** Returns the same hue at another lightness, with as much chroma as sRGB allows. */
function atLightness([, a, b]: Triple, lightness: number): string {
  for (let chroma = 1; chroma > 0; chroma -= 0.05) {
    const hex = fromOklab([lightness, a * chroma, b * chroma]);
    if (hex) return hex;
  }
  return fromOklab([lightness, 0, 0]) ?? (lightness > 0.5 ? "#ffffff" : "#000000");
}

/**
 * Returns the shade of `hex` nearest to it with at least `contrast` to the background of `theme`.
 * Returns `hex` itself if it has that contrast.
 */
export function readableShade(hex: string, theme: Theme, contrast = TEXT_CONTRAST): string {
  const background = BACKGROUNDS[theme];
  if (contrastRatio(hex, background) >= contrast) return hex;
  const lab = toOklab(hex);
  const step = theme === "light" ? -0.005 : 0.005;
  for (let lightness = lab[0]; lightness >= 0 && lightness <= 1; lightness += step) {
    const shade = atLightness(lab, lightness);
    if (contrastRatio(shade, background) >= contrast) return shade;
  }
  return theme === "light" ? "#000000" : "#ffffff";
}

/** Returns the shades of `colors` for both themes. */
export const readableShades = (colors: ThemeColors, contrast = TEXT_CONTRAST): ThemeColors => ({
  light: readableShade(colors.light, "light", contrast),
  dark: readableShade(colors.dark, "dark", contrast),
});
