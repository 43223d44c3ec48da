// Reads the size of an SVG.

const PIXELS_PER_UNIT: Readonly<Record<string, number>> = {
  "": 1,
  px: 1,
  pt: 4 / 3,
  pc: 16,
  in: 96,
  cm: 96 / 2.54,
  mm: 96 / 25.4,
  em: 16,
  rem: 16,
};

/**
 * Returns width and height in CSS pixels, from the attributes or the viewBox; null if neither has
 * them.
 */
export function readSvgSize(text: string): { width: number; height: number } | null {
  const tag = /<svg\b(?:[^>"']|"[^"]*"|'[^']*')*>/i.exec(text.replace(/<!--[\s\S]*?-->/g, ""))?.[0];
  if (!tag) return null;
  const attribute = (name: string) =>
    new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, "i")
      .exec(tag)
      ?.slice(1)
      .find((value) => value !== undefined);
  const [width, height] = [toPixels(attribute("width")), toPixels(attribute("height"))];
  if (width && height) return { width, height };
  const box = attribute("viewBox")
    ?.trim()
    .split(/[\s,]+/)
    .map(Number);
  const [, , boxWidth, boxHeight] = box ?? [];
  if (!boxWidth || !boxHeight || !(boxWidth > 0) || !(boxHeight > 0)) return null;
  if (width) return { width, height: (width * boxHeight) / boxWidth };
  if (height) return { width: (height * boxWidth) / boxHeight, height };
  return { width: boxWidth, height: boxHeight };
}

function toPixels(value: string | undefined): number | null {
  const match = /^\s*([\d.]+)\s*([a-z]*)\s*$/i.exec(value ?? "");
  const unit = match && PIXELS_PER_UNIT[match[2]!.toLowerCase()];
  const size = unit ? Number(match[1]) * unit : Number.NaN;
  return size > 0 ? size : null;
}
