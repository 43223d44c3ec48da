// What a reader typed, as words; and as full-text queries that can't be anything but words.

/** A query is cut here: nobody searches for more, and the cost of a search stays bounded. */
const MAX_CHARACTERS = 200;
const MAX_WORDS = 10;
/** A shorter word stands for itself, unless it is the last: sixteen single letters that begin anything cost 140 ms. */
const MIN_PREFIX_CHARS = 3;

// Around a match in what SQLite returns. Private-use characters, which plainText() takes out of everything that goes in.
export const MATCH_OPEN = "\uE000";
export const MATCH_CLOSE = "\uE001";

/** A piece of text; `match` says whether the query found it. */
export interface TextSegment {
  readonly text: string;
  readonly match: boolean;
}

/** `value` in Unicode form C, on one line, without control characters, lone surrogates and our own marks. */
export function normalizeText(value: string): string {
  return value
    .toWellFormed()
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\uE000\uE001\uFFFD]/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
}

/** The query as it is shown again and searched for: plain, at most 200 characters. */
export function normalizeQuery(q: string): string {
  return normalizeText([...q.slice(0, MAX_CHARACTERS * 2)].slice(0, MAX_CHARACTERS).join(""));
}

/** The words of a cleaned query: runs of letters and digits with their accents, as SQLite's unicode61 cuts them. At most ten. */
export function splitWords(q: string): string[] {
  const words = q.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return words.filter((word) => /[\p{L}\p{N}]/u.test(word)).slice(0, MAX_WORDS);
}

/**
 * FTS5 queries for `words`, best tier first: the whole phrase; every word; every word with the last only begun
 * (what a reader is typing); every longer word only begun. Each finds at least what the one before it found.
 * A word is letters and digits in double quotes, so no operator, column filter or quote can come through.
 */
export function buildFtsQueries(words: readonly string[]): string[] {
  if (words.length === 0) return [];
  const exact = words.map((word) => `"${word}"`);
  const begun = words.map((word, i) =>
    word.length >= MIN_PREFIX_CHARS || i === words.length - 1 ? `"${word}" *` : `"${word}"`,
  );
  const tiers = [
    `"${words.join(" ")}"`,
    exact.join(" AND "),
    [...exact.slice(0, -1), begun.at(-1)].join(" AND "),
    begun.join(" AND "),
  ];
  return [...new Set(tiers)];
}

/** SQLite's answer with marks, as segments. */
export function parseSegments(marked: string): TextSegment[] {
  const segments: TextSegment[] = [];
  let match = false;
  for (const part of marked.split(/([\uE000\uE001])/)) {
    if (part === MATCH_OPEN) match = true;
    else if (part === MATCH_CLOSE) match = false;
    else if (part !== "") segments.push({ text: part, match });
  }
  return segments;
}
