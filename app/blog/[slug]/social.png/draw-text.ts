// Draws text with the machine's fonts if the site's fonts lack its letters. Pango shapes every
// script.

import sharp from "sharp";
import type { DrawnText } from "#components/post/social-card.tsx";
import { escapeHtml } from "#lib/core/escape-html.ts";
import { startsRightToLeft } from "#lib/posts/social-image-text.ts";

export interface TextStyle {
  /** A family and a style for Pango: "serif", "sans bold". */
  readonly font: string;
  /** In pixels, largest first. The first one that fits is used, or the last one. */
  readonly sizes: readonly number[];
  readonly color: string;
  readonly maxWidth: number;
  readonly maxHeight: number;
}

/** Returns the text as an image. A character that no font has becomes a box with its code. */
export async function drawText(text: string, style: TextStyle): Promise<DrawnText> {
  const markup = `<span foreground="${style.color}">${escapeHtml(text)}</span>`;
  for (const [index, size] of style.sizes.entries()) {
    const { data, info } = await sharp({
      text: {
        text: markup,
        font: `${style.font} ${size}`,
        dpi: 72,
        width: style.maxWidth,
        wrap: "word-char",
        rgba: true,
      },
    })
      .png()
      .toBuffer({ resolveWithObject: true });
    if (info.height > style.maxHeight && index < style.sizes.length - 1) continue;
    // A single long word may be wider than the wrapped lines.
    const scale = Math.min(1, style.maxWidth / info.width, style.maxHeight / info.height);
    return {
      src: `data:image/png;base64,${data.toString("base64")}`,
      width: Math.round(info.width * scale),
      height: Math.round(info.height * scale),
      isRightToLeft: startsRightToLeft(text),
    };
  }
  throw new Error("A text needs at least one size.");
}
