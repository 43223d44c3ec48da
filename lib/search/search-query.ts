// Turns a reader's query into words and FTS5 queries. Query operators cannot be injected.

import { type SearchTerm, foldWord, nameTokens, parseTerms } from "./search-terms.ts";

/** Longer queries are truncated, which bounds the cost of a search. */
const MAX_CHARACTERS = 200;
const MAX_WORDS = 10;
/** Shorter words match exactly, except the last one: 16 single-letter prefixes cost 140 ms. */
const MIN_PREFIX_CHARS = 3;

// Delimit matches in SQLite's results: private-use characters, which normalizeText removes from all
// input.
export const MATCH_OPEN = "\uE000";
export const MATCH_CLOSE = "\uE001";

/** Part of a text; `isMatch` if the query matches it. */
export interface TextSegment {
  readonly text: string;
  readonly isMatch: boolean;
}

/**
 * Returns `value` in Unicode NFC on one line, without control characters, lone surrogates and match
 * delimiters.
 */
export function normalizeText(value: string): string {
  return value
    .toWellFormed()
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\uE000\uE001\uFFFD]/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
}

/** Returns the query to show and search for: normalized, at most 200 characters. */
export function normalizeQuery(q: string): string {
  return normalizeText([...q.slice(0, MAX_CHARACTERS * 2)].slice(0, MAX_CHARACTERS).join(""));
}

/** A reader's query as FTS5 queries. Operators can't be injected: words are letters and digits. */
export interface SearchQuery {
  /** Best first. Empty if the query has no letter or digit. */
  readonly tiers: readonly Tier[];
  /** Words that may be misspelled, folded. */
  readonly words: readonly { readonly text: string; readonly isLast: boolean }[];
  /** Returns the tiers with words replaced by their corrections, by index of `words`. */
  readonly correct: (corrections: readonly (string | undefined)[]) => readonly Tier[];
  /** Returns a query for each term: the word or one of its corrections, by index of `words`. */
  readonly buildLooseClauses: (corrections: readonly (readonly string[])[]) => LooseClause[];
}

/** A term that a document may lack. */
export interface LooseClause {
  readonly query: string;
  /** Short words are too common to find a document by. */
  readonly isSpecific: boolean;
}

export interface Tier {
  /** An FTS5 query. */
  readonly query: string;
  /** The FTS5 query whose matches are marked, which matches whatever `query` does. */
  readonly marks: string;
}

const COLUMNS = "{title topics description body}";
const quote = (text: string, isPrefix = false) => `"${text}"${isPrefix ? " *" : ""}`;
const toTier = (query: string): Tier => ({ query, marks: query });

/**
 * Returns the tiers: names with symbols; the phrase in the title; the phrase; all words; all words,
 * the last as a prefix (it is being typed); all longer words as prefixes; the same without marks and
 * in parts of camelCase.
 */
export function parseQuery(q: string): SearchQuery {
  const terms = parseTerms(q).slice(0, MAX_WORDS);
  const isLast = (i: number) => i === terms.length - 1;
  const canBePrefix = (text: string, i: number) => text.length >= MIN_PREFIX_CHARS || isLast(i);
  const build = (wordQuery: (text: string, i: number) => string) =>
    terms.map((term, i) =>
      term.kind === "word"
        ? wordQuery(term.text, i)
        : `{titleTerms terms} : ${quote(term.text, term.isPrefix)}`,
    );
  const all = (wordQuery: (text: string, i: number) => string) => build(wordQuery).join(" AND ");
  // A prefix of one or two letters matches most texts, but few titles.
  const prefix = (text: string, isPrefix: boolean) =>
    isPrefix && text.length < MIN_PREFIX_CHARS
      ? `(${COLUMNS} : ${quote(text)} OR {title topics} : ${quote(text, true)})`
      : `${COLUMNS} : ${quote(text, isPrefix)}`;
  const loose = (text: string, i: number) =>
    canBePrefix(text, i) && text.length >= MIN_PREFIX_CHARS
      ? quote(foldWord(text), true)
      : `(${quote(foldWord(text))} OR ${prefix(text, canBePrefix(text, i))})`;
  const phrase = quote(terms.map(({ text }) => text).join(" "));
  const allWords = all((text) => `${COLUMNS} : ${quote(text)}`);
  const tiers = [
    ...buildNameTier(q, allWords),
    ...(terms.every(({ kind }) => kind === "word")
      ? [
          { query: `{title} : ${phrase}`, marks: `${COLUMNS} : ${phrase}` },
          toTier(`${COLUMNS} : ${phrase}`),
        ]
      : []),
    toTier(allWords),
    toTier(all((text, i) => prefix(text, isLast(i)))),
    toTier(all((text, i) => prefix(text, canBePrefix(text, i)))),
    toTier(all(loose)),
  ];
  const words = terms.flatMap((term, i) =>
    term.kind === "word" && isCorrectable(term.text)
      ? [{ text: foldWord(term.text), isLast: isLast(i) }]
      : [],
  );
  return {
    tiers: terms.length === 0 ? [] : [...new Map(tiers.map((tier) => [tier.query, tier])).values()],
    words,
    correct: (corrections) =>
      corrections.every((correction) => correction === undefined)
        ? []
        : parseQuery(
            terms
              .map(({ text }) => {
                const i = words.findIndex((word) => word.text === foldWord(text));
                return corrections[i] ?? text;
              })
              .join(" "),
          ).tiers,
    buildLooseClauses: (corrections) => {
      const byWord = new Map(words.map(({ text }, i) => [text, corrections[i] ?? []]));
      const clauses = build((text, i) => {
        const others = byWord.get(foldWord(text)) ?? [];
        return others.length === 0
          ? loose(text, i)
          : `(${[loose(text, i), ...others.map((other) => quote(other))].join(" OR ")})`;
      });
      return clauses.map((query, i) => ({ query, isSpecific: isSpecific(terms[i]!) }));
    },
  };
}

const isCorrectable = (word: string) => word.length >= 4 && !/\p{N}/u.test(word);
const isSpecific = ({ kind, text }: SearchTerm) => kind === "derived" || text.length >= 3;

/** Returns a query for the names with symbols; [] without a name. */
function buildNameTier(q: string, marks: string): Tier[] {
  const names = nameTokens(q).slice(0, MAX_WORDS);
  const clauses = names.map((name) => `{titleTerms terms} : ${quote(name)}`);
  return names.length === 0 ? [] : [{ query: clauses.join(" AND "), marks }];
}

/** Parses SQLite's text with match delimiters into segments. */
export function parseSegments(marked: string): TextSegment[] {
  const segments: TextSegment[] = [];
  let isMatch = false;
  for (const part of marked.split(/([\uE000\uE001])/)) {
    if (part === MATCH_OPEN) isMatch = true;
    else if (part === MATCH_CLOSE) isMatch = false;
    else if (part !== "") segments.push({ text: part, isMatch });
  }
  return segments;
}
