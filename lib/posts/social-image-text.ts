// Prepares text for the social image, and tells whether the site's own fonts can draw it.

import { truncateAtWord } from "#lib/core/truncate-at-word.ts";

/** Longer titles are truncated at a word. */
const MAX_TITLE_CHARS = 120;

/** Matches characters in the site's fonts: Latin, Latin Extended-A, punctuation. */
export const DRAWABLE_CHARACTER = /[ -~¡-¨ª-¬¯-\u0148\u014A-\u017E–—‘’‚“”„•…‹›€−]/u;

/**
 * Fonts can't draw color emoji. Uses the constructor, because TypeScript's target lacks the v flag.
 */
const EMOJI = new RegExp("\\p{RGI_Emoji}|\\p{Emoji_Presentation}|\\uFE0F", "gv");
const NOT_TEXT = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/gu;

/** Returns whether the site's fonts have all characters of `text`. */
export function isDrawable(text: string): boolean {
  return [...text].every((character) => DRAWABLE_CHARACTER.test(character));
}

/** Returns `text` for the image, in any script, without emoji and with plain forms of ﬁ and №. */
export function toImageText(text: string): string {
  const plain = text
    .normalize("NFC")
    .replace(EMOJI, " ")
    .replaceAll("\u2011", "-")
    .replace(NOT_TEXT, " ")
    .replace(/[\s\u00A0]+/gu, " ")
    .trim();
  return [...plain]
    .map((character) => {
      const compatible = character.normalize("NFKC");
      return isDrawable(compatible) ? compatible : character;
    })
    .join("");
}

/**
 * Returns a post's title for its social image, or `fallback` (the site's name) if it has no letter
 * or digit.
 */
export function socialImageTitle(title: string, fallback: string): string {
  const text = toImageText(title);
  if (!/[\p{L}\p{N}]/u.test(text)) return toImageText(fallback);
  return truncateAtWord(text, MAX_TITLE_CHARS);
}

/** Returns whether the first letter belongs to a right-to-left script. */
export function startsRightToLeft(text: string): boolean {
  const [letter = ""] = /\p{L}/u.exec(text) ?? [];
  return /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u.test(
    letter,
  );
}
