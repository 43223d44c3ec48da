// Turns a reader's query into words and FTS5 queries. Query operators cannot be injected.

import { foldWord, parseTerms } from "./search-terms.ts";

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

/**
 * Returns FTS5 queries, best tier first: the phrase; all words; all words, the last as a prefix (it
 * is being typed); all longer words as prefixes; the same without marks and in parts of camelCase.
 * Words are quoted letters and digits, which prevents injection of operators and column filters.
 */
export function buildFtsQueries(q: string): string[] {
  const terms = parseTerms(q).slice(0, MAX_WORDS);
  if (terms.length === 0) return [];
  const build = (wordQuery: (text: string, i: number) => string) =>
    terms
      .map((term, i) =>
        term.kind === "word"
          ? wordQuery(term.text, i)
          : `{derived} : "${term.text}"${term.isPrefix ? " *" : ""}`,
      )
      .join(" AND ");
  const inText = (query: string) => `{title topics description body} : ${query}`;
  const isLast = (i: number) => i === terms.length - 1;
  const canBePrefix = (text: string, i: number) => text.length >= MIN_PREFIX_CHARS || isLast(i);
  const prefix = (text: string, isPrefix: boolean) => `"${text}"${isPrefix ? " *" : ""}`;
  const tiers = [
    ...(terms.every(({ kind }) => kind === "word")
      ? [inText(`"${terms.map(({ text }) => text).join(" ")}"`)]
      : []),
    build((text) => inText(prefix(text, false))),
    build((text, i) => inText(prefix(text, isLast(i)))),
    build((text, i) => inText(prefix(text, canBePrefix(text, i)))),
    build((text, i) => prefix(foldWord(text), canBePrefix(text, i))),
  ];
  return [...new Set(tiers)];
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
