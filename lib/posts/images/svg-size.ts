// Reads the size of an SVG, in linear time.

import { parseMarkup } from "#lib/core/parse-markup.ts";

/** The root element begins within these, after comments and declarations. */
const MAX_HEAD_CHARS = 100_000;
const MAX_VALUE_CHARS = 100;
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
  let attributes: Record<string, string> | undefined;
  parseMarkup(
    text.slice(0, MAX_HEAD_CHARS),
    {
      onopentag: (name, values) => {
        if (name === "svg") attributes ??= values;
      },
      ontext: () => undefined,
      onclosetag: () => undefined,
    },
    { xmlMode: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  );
  if (!attributes) return null;
  const attribute = (name: string) => attributes?.[name]?.slice(0, MAX_VALUE_CHARS);
  const [width, height] = [toPixels(attribute("width")), toPixels(attribute("height"))];
  if (width && height) return { width, height };
  const box = attribute("viewbox")
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
