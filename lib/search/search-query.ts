// Turns a reader's query into words and FTS5 queries. Query operators cannot be injected.

import { type SearchTerm, foldWord, nameTokens, parseTerms } from "./search-terms.ts";

/** Longer queries are truncated, which bounds the cost of a search. */
const MAX_CHARACTERS = 200;
const MAX_WORDS = 10;
/** Shorter words match exactly, except the last one, because short prefixes are slow. */
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
  readonly terms: readonly SearchTerm[];
  /** Best first. Empty if the query has no letter or digit. */
  readonly tiers: readonly Tier[];
  /** Words that may be misspelled, folded. */
  readonly words: readonly { readonly text: string; readonly isLast: boolean }[];
}

export interface Tier {
  /** An FTS5 query. */
  readonly query: string;
  /** The FTS5 query whose matches are marked, which matches whatever `query` does. */
  readonly marks: string;
}

/** A term that a document may lack. */
export interface LooseClause {
  readonly query: string;
  /** Short words are too common to find a document by. */
  readonly isSpecific: boolean;
}

/** Returns the FTS5 query for a word. The last one may be a prefix, as it may be unfinished. */
type WordQuery = (text: string, isLast: boolean) => string;

const COLUMNS = "{title topics description body}";
const DERIVED = "{titleTerms terms}";
const quote = (text: string, isPrefix = false) => `"${text}"${isPrefix ? " *" : ""}`;
const toTier = (query: string): Tier => ({ query, marks: query });

const exactWord: WordQuery = (text) => `${COLUMNS} : ${quote(text)}`;
/** A prefix of one or two letters matches most documents, but few titles. */
const prefixWord: WordQuery = (text) =>
  text.length < MIN_PREFIX_CHARS
    ? `(${exactWord(text, false)} OR {title topics} : ${quote(text, true)})`
    : `${COLUMNS} : ${quote(text, true)}`;
const lastAsPrefix: WordQuery = (text, isLast) => (isLast ? prefixWord : exactWord)(text, isLast);
const anyAsPrefix: WordQuery = (text, isLast) =>
  (isLast || text.length >= MIN_PREFIX_CHARS ? prefixWord : exactWord)(text, isLast);
/** Without marks, and as a part of camelCase. */
const looseWord: WordQuery = (text, isLast) =>
  text.length >= MIN_PREFIX_CHARS
    ? quote(foldWord(text), true)
    : `(${quote(foldWord(text))} OR ${lastAsPrefix(text, isLast)})`;

const buildClauses = (terms: readonly SearchTerm[], wordQuery: WordQuery): string[] =>
  terms.map((term, i) =>
    term.kind === "word"
      ? wordQuery(term.text, i === terms.length - 1)
      : `${DERIVED} : ${quote(term.text, term.isPrefix)}`,
  );

/** A repeated word finds nothing more, but the cost of a snippet is quadratic in its matches. */
const withoutRepetitions = (terms: readonly SearchTerm[]): SearchTerm[] => [
  ...new Map(terms.map((term) => [`${term.kind} ${foldWord(term.text)}`, term])).values(),
];

/**
 * Returns the tiers: names with symbols; the phrase in the title; the phrase; all words; all words,
 * the last as a prefix; all longer words as prefixes; the same without marks and in camelCase.
 */
export function parseQuery(q: string): SearchQuery {
  const terms = withoutRepetitions(parseTerms(q)).slice(0, MAX_WORDS);
  if (terms.length === 0) return { terms, tiers: [], words: [] };
  const all = (wordQuery: WordQuery) => buildClauses(terms, wordQuery).join(" AND ");
  const tiers = [
    ...buildNameTier(q, all(exactWord)),
    ...buildPhraseTiers(terms),
    ...[exactWord, lastAsPrefix, anyAsPrefix, looseWord].map((each) => toTier(all(each))),
  ];
  return {
    terms,
    tiers: [...new Map(tiers.map((tier) => [tier.query, tier])).values()],
    words: terms.flatMap((term, i) =>
      term.kind === "word" && term.text.length >= 4 && !/\p{N}/u.test(term.text)
        ? [{ text: foldWord(term.text), isLast: i === terms.length - 1 }]
        : [],
    ),
  };
}

/** Returns a query for the names with symbols; [] without a name. */
function buildNameTier(q: string, marks: string): Tier[] {
  const names = nameTokens(q).slice(0, MAX_WORDS);
  const clauses = names.map((name) => `${DERIVED} : ${quote(name)}`);
  return names.length === 0 ? [] : [{ query: clauses.join(" AND "), marks }];
}

function buildPhraseTiers(terms: readonly SearchTerm[]): Tier[] {
  if (terms.some(({ kind }) => kind !== "word")) return [];
  const phrase = quote(terms.map(({ text }) => text).join(" "));
  const anywhere = `${COLUMNS} : ${phrase}`;
  return [{ query: `{title} : ${phrase}`, marks: anywhere }, toTier(anywhere)];
}

/** Corrections of each of SearchQuery.words, the best first. */
type Corrections = readonly (readonly string[])[];

/** Returns the tiers of the query with its words replaced by their best corrections. */
export function correctTiers({ terms, words }: SearchQuery, corrections: Corrections) {
  if (corrections.every(([best]) => best === undefined)) return [];
  const best = new Map(words.map(({ text }, i) => [text, corrections[i]?.[0]]));
  return parseQuery(terms.map(({ text }) => best.get(foldWord(text)) ?? text).join(" ")).tiers;
}

/** Returns a query for each term: the word, or one of its corrections. */
export function buildLooseClauses(
  { terms, words }: SearchQuery,
  corrections: Corrections = [],
): LooseClause[] {
  const byWord = new Map(words.map(({ text }, i) => [text, corrections[i] ?? []]));
  const clauses = buildClauses(terms, (text, isLast) => {
    const others = byWord.get(foldWord(text)) ?? [];
    return `(${[looseWord(text, isLast), ...others.map((other) => quote(other))].join(" OR ")})`;
  });
  return clauses.map((query, i) => {
    const { kind, text } = terms[i]!;
    return { query, isSpecific: kind === "derived" || text.length >= MIN_PREFIX_CHARS };
  });
}

/** Returns a pattern for derived terms as the query writes them; null without any. */
export function derivedTermPattern(terms: readonly SearchTerm[]): RegExp | null {
  const written = terms.flatMap((term) => (term.kind === "derived" ? term.written : []));
  // Of their characters, only + is special in a pattern.
  const source = written.join("|").replaceAll("+", "\\+");
  return source === "" ? null : new RegExp(`(${source})`, "iu");
}

/**
 * Marks derived terms as the query writes them, which SQLite's tokenizer doesn't find in a text.
 * Keeps the other matches.
 */
export function markDerivedTerms(
  segments: readonly TextSegment[],
  terms: readonly SearchTerm[],
): readonly TextSegment[] {
  const pattern = derivedTermPattern(terms);
  if (!pattern) return segments;
  return segments.flatMap(({ text, isMatch }) =>
    isMatch
      ? { text, isMatch }
      : text
          .split(pattern)
          .map((part, index) => ({ text: part, isMatch: index % 2 === 1 }))
          .filter((segment) => segment.text !== ""),
  );
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
