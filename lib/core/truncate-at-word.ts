// Truncates text at the end of a word.

/**
 * Returns `text` or, if it is longer, at most `max` characters of it: truncated after a word, with
 * "…". Truncates within a word only if it takes up half of that. Never splits a character.
 */
export function truncateAtWord(text: string, max: number): string {
  // Bounds the work: a text may be huge.
  const characters = [...text.slice(0, max * 4)];
  if (characters.length <= max) return characters.join("");
  const start = characters.slice(0, max - 1).join("");
  const space = start.lastIndexOf(" ");
  const cut = space >= start.length / 2 ? start.slice(0, space) : start;
  return `${cut.replace(/[\s,;:.–—-]+$/, "")}…`;
}
