// Reduces text for the social image to characters that its fonts contain.

/** Longer titles are truncated at a word. */
const MAX_TITLE_CHARS = 120;

/**
 * Matches characters in the installed fonts: Latin, Latin Extended-A, punctuation. For others, the
 * library would fetch fonts or emoji from the network, without a timeout.
 */
export const DRAWABLE_CHARACTER = /[ -~¡-¨ª-¬¯-\u0148\u014A-\u017E–—‘’‚“”„•…‹›€−]/u;

/** Returns `text` in drawable characters. Others become their base letter or are removed. */
export function toDrawableText(text: string): string {
  const plain = text
    .normalize("NFC")
    .replace(/[\s\u00A0]+/gu, " ")
    .replaceAll("\u2011", "-");
  const drawable = [...plain].map((character) =>
    DRAWABLE_CHARACTER.test(character)
      ? character
      : [...character.normalize("NFKD")].filter((part) => DRAWABLE_CHARACTER.test(part)).join(""),
  );
  return drawable.join("").replace(/ +/g, " ").trim();
}

/**
 * Returns a post's title for its social image, or `fallback` (the site's name) if no letter of it
 * is drawable.
 */
export function socialImageTitle(title: string, fallback: string): string {
  const text = toDrawableText(title);
  if (!/[\p{L}\p{N}]/u.test(text)) return toDrawableText(fallback);
  if (text.length <= MAX_TITLE_CHARS) return text;
  const cut = text.slice(0, MAX_TITLE_CHARS);
  return `${cut.includes(" ") ? cut.slice(0, cut.lastIndexOf(" ")) : cut}…`;
}
