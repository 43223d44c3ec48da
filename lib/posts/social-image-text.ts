// Text for the social image: only signs that its fonts have.

/** A longer title is cut at a word. */
const MAX_TITLE_CHARS = 120;

/**
 * What the installed fonts draw (Latin and Latin Extended-A with their punctuation). For anything else the drawing
 * library asks a font service and an emoji service on the network, without a deadline: such signs never reach it.
 */
export const DRAWABLE_CHARACTER = /[ -~¡-¨ª-¬¯-\u0148\u014A-\u017E–—‘’‚“”„•…‹›€−]/u;

/** `text` in signs that can be drawn: others as their base letter, or left out. "" when nothing is left. */
export function toDrawableText(text: string): string {
  const plain = text
    .normalize("NFC")
    .replace(/[\s\u00A0]+/gu, " ")
    .replaceAll("\u2011", "-");
  const signs = [...plain].map((sign) =>
    DRAWABLE_CHARACTER.test(sign)
      ? sign
      : [...sign.normalize("NFKD")].filter((part) => DRAWABLE_CHARACTER.test(part)).join(""),
  );
  return signs.join("").replace(/ +/g, " ").trim();
}

/** A post's title for its picture; `otherwise` (the site's name) for one that the fonts can't write at all. */
export function socialImageTitle(title: string, otherwise: string): string {
  const text = toDrawableText(title);
  if (!/[\p{L}\p{N}]/u.test(text)) return toDrawableText(otherwise);
  if (text.length <= MAX_TITLE_CHARS) return text;
  const cut = text.slice(0, MAX_TITLE_CHARS);
  return `${cut.includes(" ") ? cut.slice(0, cut.lastIndexOf(" ")) : cut}…`;
}
