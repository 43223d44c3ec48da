// Finds the words of the index that a query misspells by one letter.

/** Marks where a word starts and ends, so that its first and last letters count as trigrams. */
export const toTrigramText = (word: string): string => `^^${word}$`;

/**
 * Returns an FTS5 query for the trigrams of a word. Without `isPrefix`, those of its end are
 * included.
 */
export function buildTrigramQuery(word: string, isPrefix: boolean): string {
  const characters = [...(isPrefix ? `^^${word}` : toTrigramText(word))];
  const trigrams = characters.slice(2).map((_, i) => characters.slice(i, i + 3).join(""));
  return [...new Set(trigrams)].map((trigram) => `"${trigram}"`).join(" OR ");
}

/**
 * Returns whether `a` and `b` differ by one inserted, deleted or replaced letter, or by two
 * neighbors that are swapped (a Damerau–Levenshtein distance of 1).
 */
export function isOneEditApart(a: string, b: string): boolean {
  const [first, second] = [[...a], [...b]];
  if (a === b || Math.abs(first.length - second.length) > 1) return false;
  let start = 0;
  while (start < first.length && first[start] === second[start]) start += 1;
  const rest = (letters: readonly string[], skip: number) => letters.slice(start + skip).join("");
  if (first.length > second.length) return rest(first, 1) === rest(second, 0);
  if (first.length < second.length) return rest(first, 0) === rest(second, 1);
  if (rest(first, 1) === rest(second, 1)) return true;
  return (
    first[start] === second[start + 1] &&
    first[start + 1] === second[start] &&
    rest(first, 2) === rest(second, 2)
  );
}

/** Returns whether `typed` misspells `word`, or with `isPrefix` its beginning. */
export function isMisspelling(typed: string, word: string, isPrefix: boolean): boolean {
  if (isOneEditApart(typed, word)) return true;
  if (!isPrefix || word.startsWith(typed)) return false;
  const characters = [...word];
  const { length } = [...typed];
  return [length - 1, length, length + 1].some(
    (end) => end < characters.length && isOneEditApart(typed, characters.slice(0, end).join("")),
  );
}
