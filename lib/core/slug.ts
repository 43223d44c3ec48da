// Validates slugs, which are parts of addresses.

/** Letters and digits of any script. Joiners (U+200C, U+200D) are part of words in some. */
const SEGMENT = /^[\p{L}\p{N}](?:(?:[\p{L}\p{M}\p{N}._-]|\u200c|\u200d)*[\p{L}\p{M}\p{N}])?$/u;
const MAX_CHARS = 100;

/** The format of a slug, for error messages. */
export const SLUG_RULE = `letters and digits, with hyphens, dots, underscores or slashes between them, at most ${MAX_CHARS}`;

/** Returns whether `value` follows SLUG_RULE. A slash separates folders from the name. */
export function isSlug(value: string): boolean {
  return value.length <= MAX_CHARS && value.split("/").every((segment) => SEGMENT.test(segment));
}
