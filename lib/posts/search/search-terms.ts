// Derives the search terms that SQLite's tokenizer can't: words without marks, parts of camelCase,
// names such as C++, and pairs of characters in scripts that don't separate words.

/** Scripts that are written without spaces, or with particles attached to words (Hangul). */
const UNSPACED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";
/** A name with a symbol (C++, F#), a run of an unspaced script, or a word. */
const TERM = new RegExp(
  `(?<symbol>(?<![\\p{L}\\p{N}])[\\p{L}\\p{N}]+(?:\\+\\+|#(?![\\p{L}\\p{N}])))|(?<run>[${UNSPACED}][${UNSPACED}\\p{M}]*)|(?<word>(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+)`,
  "gu",
);

/** Letters with a mark that Unicode doesn't decompose. */
const FOLDED_LETTERS: Readonly<Record<string, string>> = {
  ł: "l",
  ø: "o",
  ß: "ss",
  æ: "ae",
  œ: "oe",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ŧ: "t",
  ı: "i",
};

export type SearchTerm =
  | { readonly kind: "word"; readonly text: string }
  /** `text` is a token of the derived column, or several in this order. */
  | { readonly kind: "derived"; readonly text: string; readonly isPrefix: boolean };

/** Returns a word in lower case, without the marks of its letters: Łódź is lodz. */
export const foldWord = (word: string): string =>
  word
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/[łøßæœđðþħŧı]/g, (letter) => FOLDED_LETTERS[letter]!)
    .normalize("NFC");

const symbolToken = (name: string) =>
  foldWord(name).replaceAll("+", "plus").replaceAll("#", "sharp");

/** Returns each pair of neighboring characters, and the last character. */
function pairTokens(run: string): string[] {
  const characters = [...run.replace(/\p{M}/gu, "")];
  return characters.map((character, i) => character + (characters[i + 1] ?? ""));
}

/** Splits a query into terms. */
export function parseTerms(q: string): SearchTerm[] {
  return [...q.matchAll(TERM)].flatMap(({ groups }): SearchTerm[] => {
    const { symbol, run, word } = groups as Record<string, string | undefined>;
    if (symbol) return [{ kind: "derived", text: symbolToken(symbol), isPrefix: false }];
    if (run) {
      const pairs = pairTokens(run);
      // The last character alone is a token only at the end of a run.
      const isPrefix = pairs.length === 1;
      return [
        { kind: "derived", text: (isPrefix ? pairs : pairs.slice(0, -1)).join(" "), isPrefix },
      ];
    }
    return word && /[\p{L}\p{N}]/u.test(word) ? [{ kind: "word", text: word }] : [];
  });
}

/** Returns the tokens of the derived column for `text`, separated by spaces. */
export function deriveTokens(text: string): string {
  const tokens: string[] = [];
  for (const { groups } of text.matchAll(TERM)) {
    const { symbol, run, word } = groups as Record<string, string | undefined>;
    if (symbol) tokens.push(symbolToken(symbol));
    else if (run) tokens.push(...pairTokens(run));
    else if (word) {
      const folded = foldWord(word);
      if (folded !== word.toLowerCase()) tokens.push(folded);
      const parts = word.split(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})/u);
      if (parts.length > 1) tokens.push(...parts.map(foldWord));
    }
  }
  return tokens.join(" ");
}
