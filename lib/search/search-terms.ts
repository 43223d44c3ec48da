// Derives the search terms that SQLite's tokenizer can't: words without marks, parts of camelCase,
// names with symbols such as C++ and node:fs, and pairs of characters in scripts without spaces.

/** Scripts that are written without spaces, or with particles attached to words (Hangul). */
const UNSPACED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー〆ｰﾞﾟ\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";
/** A letter or digit of another script. */
const SPACED = `(?:(?![${UNSPACED}])[\\p{L}\\p{N}])`;
/**
 * A name with a symbol (C++, F#), a run of an unspaced script, or a word with the characters of such a
 * run before and after it.
 */
const TERM = new RegExp(
  `(?<symbol>(?<!${SPACED})${SPACED}+(?:\\+\\+|#(?!${SPACED})))|(?<run>[${UNSPACED}][${UNSPACED}\\p{M}]*)|(?:(?<=(?<before>[${UNSPACED}]\\p{M}*))|)(?<word>(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+)(?:(?=(?<after>[${UNSPACED}]))|)`,
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
  /** `text` is one or more tokens of the derived column, in order, for the query's text `written`. */
  | {
      readonly kind: "derived";
      readonly text: string;
      readonly written: string;
      readonly isPrefix: boolean;
    };

/**
 * Returns a word in lower case, without the marks of its letters: Łódź is lodz. Full-width letters
 * and ligatures become plain ones (NFKC).
 */
export function foldWord(word: string): string {
  const lower = word.toLowerCase();
  if (/^[ -~]*$/.test(lower)) return lower; // ASCII, nearly always
  return lower
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[łøßæœđðþħŧı]/g, (letter) => FOLDED_LETTERS[letter]!)
    .normalize("NFC");
}

const symbolToken = (name: string) =>
  foldWord(name).replaceAll("+", "plus").replaceAll("#", "sharp");

/** ASCII punctuation without the apostrophe, which is part of words. */
const SYMBOL = /[!-&(-/:-@[-`{-~]/g;
const PUNCTUATION_AROUND = /^["'`([{<,;:!?]+|["'`()[\]{}<>,;:!?.]+$/g;
/** Longer ones are URLs rather than names. */
const MAX_NAME_CHARACTERS = 40;

/**
 * Returns a token for each name with a symbol in it, such as node:fs, @scope/pkg or C++. In the
 * token, a symbol is its code: nodex3afs.
 */
export function nameTokens(text: string): string[] {
  return text.split(/\s+/).flatMap((chunk) => {
    const name = chunk.replace(PUNCTUATION_AROUND, "");
    const isName =
      name.length <= MAX_NAME_CHARACTERS &&
      name.search(SYMBOL) >= 0 &&
      /[\p{L}\p{N}]/u.test(name) &&
      !/[^!-~\p{L}\p{N}\p{M}]/u.test(name);
    if (!isName) return [];
    return foldWord(name).replace(
      SYMBOL,
      (symbol) => `x${symbol.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
  });
}

/** Returns each pair of neighboring characters, and the last character. */
function pairTokens(run: string): string[] {
  const characters = [...run.normalize("NFKC").replace(/\p{M}/gu, "")];
  return characters.map((character, i) => character + (characters[i + 1] ?? ""));
}

/** Splits a query into terms. */
export function parseTerms(q: string): SearchTerm[] {
  return [...q.matchAll(TERM)].flatMap(({ groups }): SearchTerm[] => {
    const { symbol, run, word } = groups as Record<string, string | undefined>;
    if (symbol)
      return [{ kind: "derived", text: symbolToken(symbol), written: symbol, isPrefix: false }];
    if (run) {
      const pairs = pairTokens(run);
      // The last character alone is a token only at the end of a run.
      const isPrefix = pairs.length === 1;
      const text = (isPrefix ? pairs : pairs.slice(0, -1)).join(" ");
      return [{ kind: "derived", text, written: run, isPrefix }];
    }
    return word && /[\p{L}\p{N}]/u.test(word) ? [{ kind: "word", text: word }] : [];
  });
}

/** Words of this length may be the corrections of a typo. */
const MIN_WORD_CHARACTERS = 4;
const MAX_WORD_CHARACTERS = 24;

export interface DerivedTerms {
  /** The tokens of a derived column, separated by spaces. */
  readonly tokens: string;
  /** The distinct words that a query may misspell, folded. */
  readonly vocabulary: ReadonlySet<string>;
}

/** Returns what search needs of a text in addition to its words as SQLite's tokenizer finds them. */
export function deriveTerms(text: string): DerivedTerms {
  const tokens = nameTokens(text);
  const vocabulary = new Set<string>();
  for (const { groups } of text.matchAll(TERM)) {
    const { symbol, run, word, before, after } = groups as Record<string, string | undefined>;
    if (symbol) tokens.push(symbolToken(symbol));
    else if (run) tokens.push(...pairTokens(run));
    else if (word) {
      const lower = word.toLowerCase();
      const folded = foldWord(lower);
      // For SQLite, a word and the run next to it are one word.
      if (folded !== lower || before || after) tokens.push(folded);
      if (/[\p{Ll}\p{N}]\p{Lu}/u.test(word))
        tokens.push(...word.split(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})/u).map(foldWord));
      const { length } = folded;
      if (length >= MIN_WORD_CHARACTERS && length <= MAX_WORD_CHARACTERS && !/\p{N}/u.test(folded))
        vocabulary.add(folded);
    }
  }
  return { tokens: tokens.join(" "), vocabulary };
}
