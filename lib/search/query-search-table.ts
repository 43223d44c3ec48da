// Queries the FTS5 tables: matches in tiers, corrections of typos, and highlighted text.

import type Database from "better-sqlite3";
import {
  type LooseClause,
  MATCH_CLOSE,
  MATCH_OPEN,
  type SearchQuery,
  type TextSegment,
  type Tier,
  buildLooseClauses,
  correctTiers,
  derivedTermPattern,
  parseSegments,
} from "./search-query.ts";
import type { DocumentKind } from "./search-document.ts";
import type { SearchTerm } from "./search-terms.ts";
import { buildTrigramQuery, isMisspelling } from "./spelling.ts";
import {
  DOCUMENT_TABLE,
  TEXT_TABLE,
  TRIGRAM_TABLE,
  WORD_TABLE,
  documentIdOf,
} from "./search-table.ts";

/** bm25 weights of title, topics, description, body, and derived tokens of the title and of all. */
const WEIGHTS = "10.0, 6.0, 4.0, 1.0, 10.0, 1.0";
const [TITLE, DESCRIPTION, BODY] = [0, 2, 3];
/** Rows that a tier returns at most. */
const MAX_ROWS = 5_000;
/** With this many documents, further tiers are not tried: their matches are worse. */
const ENOUGH_HITS = 200;
const SNIPPET_WORDS = 28;
/** How many words that share trigrams with a misspelled one are compared, and become corrections. */
const MAX_CANDIDATES = 100;
const MAX_CORRECTIONS = 5;

const SELECT_ROWS = `SELECT d.key AS key, d.fingerprint AS fingerprint, t.rowid AS row
  FROM ${TEXT_TABLE} AS t JOIN ${DOCUMENT_TABLE} AS d ON d.id = ${documentIdOf("t.rowid")}`;

const IS_KIND = "d.kind IN (SELECT value FROM json_each(?))";

/** Where to search. */
interface Tables {
  readonly db: Database.Database;
  /** Of documents, as a JSON array. */
  readonly kinds: string;
}

export interface SearchHit {
  readonly key: string;
  /** Of the text that was indexed. */
  readonly fingerprint: string;
  /** The part of the document that matches best. */
  readonly row: number;
  /** The FTS5 query whose matches are marked. */
  readonly marks: string;
}

/**
 * Returns every document of `kinds` that a tier of the query matches, best first: by tier, then bm25, then key.
 * If nothing has all words, tries corrections of typos, and then most of the words.
 */
export function querySearchTable(
  db: Database.Database,
  query: SearchQuery,
  kinds: readonly DocumentKind[],
): { hits: SearchHit[]; isApproximate: boolean } {
  const tables = { db, kinds: JSON.stringify(kinds) };
  const hits = runTiers(tables, query.tiers);
  if (hits.length < ENOUGH_HITS) hits.push(...findAcrossParts(tables, query, hits));
  if (hits.length > 0) return { hits, isApproximate: false };
  const corrections = query.words.map(({ text, isLast }) => findCorrections(tables, text, isLast));
  const clauses = buildLooseClauses(query, corrections);
  const corrected = runTiers(tables, [
    ...correctTiers(query, corrections),
    ...toTiers(clauses, " AND "),
  ]);
  const similar = corrected.length > 0 ? corrected : findSomeWords(tables, clauses);
  return { hits: similar, isApproximate: similar.length > 0 };
}

/** Returns the documents that have all words, but in different parts, and are not in `hits`. */
function findAcrossParts(
  tables: Tables,
  query: SearchQuery,
  hits: readonly SearchHit[],
): SearchHit[] {
  const clauses = buildLooseClauses(query);
  if (clauses.length < 2) return [];
  const keys = new Set(hits.map(({ key }) => key));
  return countWords(tables, clauses, { minWords: clauses.length, minParts: 2 }).filter(
    ({ key }) => !keys.has(key),
  );
}

/** Returns the documents that have all words but one, or all but two of four or more. */
function findSomeWords(tables: Tables, allClauses: readonly LooseClause[]): SearchHit[] {
  const clauses = allClauses.filter(({ isSpecific }) => isSpecific);
  if (clauses.length < 2) return [];
  const minWords = clauses.length - (clauses.length < 4 ? 1 : 2);
  return countWords(tables, clauses, { minWords, minParts: 1 });
}

function toTiers(clauses: readonly LooseClause[], operator: " AND " | " OR "): Tier[] {
  if (clauses.length === 0) return [];
  const query = clauses.map((clause) => clause.query).join(operator);
  return [{ query, marks: query }];
}

/**
 * Returns the documents with at least `minWords` of the words, in any of their parts. Those with the
 * most words come first, then those with the rarest.
 */
function countWords(
  { db, kinds }: Tables,
  clauses: readonly LooseClause[],
  { minWords, minParts }: { minWords: number; minParts: number },
): SearchHit[] {
  const [{ marks }] = toTiers(clauses, " OR ") as [Tier];
  const statement = db.prepare(
    `${SELECT_ROWS} WHERE ${TEXT_TABLE} MATCH ? AND ${IS_KIND} AND d.parts >= ? GROUP BY d.id LIMIT ${MAX_ROWS}`,
  );
  const found = new Map<string, { hit: SearchHit; words: number; rarity: number }>();
  for (const { query } of clauses) {
    const rows = statement.all(query, kinds, minParts) as Omit<SearchHit, "marks">[];
    for (const row of rows) {
      const { words, rarity } = found.get(row.key) ?? { words: 0, rarity: 0 };
      const hit = { ...row, marks };
      found.set(row.key, { hit, words: words + 1, rarity: rarity - Math.log(rows.length) });
    }
  }
  return [...found.values()]
    .filter(({ words }) => words >= minWords)
    .sort((a, b) => b.words - a.words || b.rarity - a.rarity || (a.hit.key < b.hit.key ? -1 : 1))
    .map(({ hit }) => hit);
}

function runTiers({ db, kinds }: Tables, tiers: readonly Tier[]): SearchHit[] {
  const statement = db.prepare(
    `${SELECT_ROWS} WHERE ${TEXT_TABLE} MATCH ? AND ${IS_KIND}
    ORDER BY bm25(${TEXT_TABLE}, ${WEIGHTS}), d.key LIMIT ${MAX_ROWS}`,
  );
  const hitsByKey = new Map<string, SearchHit>();
  const tried: string[] = [];
  for (const { query, marks } of tiers) {
    // Ranking is most of the cost, so the rows of better tiers are left out.
    const remaining =
      hitsByKey.size === 0 ? query : `(${query}) NOT (${tried.map((q) => `(${q})`).join(" OR ")})`;
    for (const row of statement.all(remaining, kinds) as Omit<SearchHit, "marks">[])
      if (!hitsByKey.has(row.key)) hitsByKey.set(row.key, { ...row, marks });
    if (hitsByKey.size >= ENOUGH_HITS) break;
    tried.push(query);
  }
  return [...hitsByKey.values()];
}

/**
 * Returns the indexed words that `word` misspells by one letter, the most frequent first; none
 * if it is a word itself.
 */
function findCorrections({ db, kinds }: Tables, word: string, isLast: boolean): string[] {
  const countRows = db
    .prepare(`SELECT count(*) FROM (${SELECT_ROWS} WHERE ${TEXT_TABLE} MATCH ? AND ${IS_KIND})`)
    .pluck();
  const count = (each: string, isPrefix = false) =>
    countRows.get(`"${each}"${isPrefix ? " *" : ""}`, kinds) as number;
  if (count(word, isLast) > 0) return [];
  const candidates = db
    .prepare(
      `SELECT w.word FROM ${TRIGRAM_TABLE} AS t JOIN ${WORD_TABLE} AS w ON w.id = t.rowid
      WHERE ${TRIGRAM_TABLE} MATCH ? ORDER BY t.rank LIMIT ${MAX_CANDIDATES}`,
    )
    .pluck()
    .all(buildTrigramQuery(word, isLast)) as string[];
  return candidates
    .filter((candidate) => isMisspelling(word, candidate, isLast))
    .map((correction) => ({ correction, rows: count(correction) }))
    .filter(({ rows }) => rows > 0)
    .sort((a, b) => b.rows - a.rows)
    .slice(0, MAX_CORRECTIONS)
    .map(({ correction }) => correction);
}

export interface HighlightedText {
  readonly title: TextSegment[];
  readonly snippet: TextSegment[];
}

/** How many characters an excerpt has before and after a derived term. */
const [EXCERPT_BEFORE, EXCERPT_AFTER] = [40, 100];

/** Returns the text around the first derived term, which SQLite's snippet() can't find, or null. */
function excerptAround(text: string, pattern: RegExp): string | null {
  const index = text.search(pattern);
  if (index < 0) return null;
  const [start, end] = [Math.max(0, index - EXCERPT_BEFORE), index + EXCERPT_AFTER];
  // Slicing may have cut a surrogate pair in half.
  const excerpt = text.slice(start, end).replace(/\p{Cs}/gu, "");
  return `${start > 0 ? "…" : ""}${excerpt}${end < text.length ? "…" : ""}`;
}

/**
 * Returns a document's title and snippet with the matches of words marked; null if it is gone.
 * `terms` are the query's.
 */
export function highlightHit(
  db: Database.Database,
  { row, marks }: SearchHit,
  terms: readonly SearchTerm[],
): HighlightedText | null {
  // Numbers are bound as REAL, which FTS5 ignores as a rowid.
  const texts = db
    .prepare(
      `SELECT highlight(${TEXT_TABLE}, ${TITLE}, @open, @close) AS title, highlight(${TEXT_TABLE}, ${DESCRIPTION}, @open, @close) AS description,
        snippet(${TEXT_TABLE}, ${BODY}, @open, @close, '…', ${SNIPPET_WORDS}) AS body, body AS text
      FROM ${TEXT_TABLE} WHERE ${TEXT_TABLE} MATCH @marks AND rowid = CAST(@row AS INTEGER)`,
    )
    .get({ open: MATCH_OPEN, close: MATCH_CLOSE, marks, row }) as
    { title: string; description: string; body: string; text: string } | undefined;
  if (!texts) return null;
  const pattern = derivedTermPattern(terms);
  if (pattern && !pattern.test(texts.description) && !texts.body.includes(MATCH_OPEN))
    texts.body = excerptAround(texts.text, pattern) ?? texts.body;
  // The description is the better summary, unless only the body has a match.
  const isMatch = (text: string) => text.includes(MATCH_OPEN) || pattern?.test(text) === true;
  const isOnlyInBody = !isMatch(texts.description) && isMatch(texts.body);
  return {
    title: parseSegments(texts.title),
    snippet: parseSegments(isOnlyInBody || !texts.description ? texts.body : texts.description),
  };
}
