// Queries the FTS5 tables: matches in tiers, corrections of typos, and highlighted texts.

import type Database from "better-sqlite3";
import {
  MATCH_CLOSE,
  MATCH_OPEN,
  type SearchQuery,
  type TextSegment,
  type Tier,
  parseSegments,
} from "./search-query.ts";
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
const SNIPPET_WORDS = 28;
/** The words with the most trigrams of a misspelled word, and how many of them are corrections. */
const MAX_CANDIDATES = 100;
const MAX_CORRECTIONS = 5;

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
 * Returns every document that a tier of the query matches, best first: by tier, then bm25, then key.
 * If no tier matches, tries corrections of typos, and then all words but one.
 */
export function querySearchTable(
  db: Database.Database,
  query: SearchQuery,
): { hits: SearchHit[]; isApproximate: boolean } {
  const hits = runTiers(db, query.tiers);
  if (hits.length > 0) return { hits, isApproximate: false };
  const corrections = query.words.map(({ text, isLast }) => findCorrections(db, text, isLast));
  const approximateTiers = query.buildApproximateTiers(corrections);
  for (const tier of approximateTiers) {
    const approximate = runTiers(db, [tier]);
    if (approximate.length > 0) return { hits: approximate, isApproximate: true };
  }
  return { hits: [], isApproximate: false };
}

function runTiers(db: Database.Database, tiers: readonly Tier[]): SearchHit[] {
  const statement = db.prepare(
    `SELECT d.key AS key, d.fingerprint AS fingerprint, t.rowid AS row
    FROM ${TEXT_TABLE} AS t JOIN ${DOCUMENT_TABLE} AS d ON d.id = ${documentIdOf("t.rowid")}
    WHERE ${TEXT_TABLE} MATCH ? ORDER BY bm25(${TEXT_TABLE}, ${WEIGHTS}), d.key LIMIT ${MAX_ROWS}`,
  );
  const hitsByKey = new Map<string, SearchHit>();
  for (const { query, marks } of tiers)
    for (const row of statement.all(query) as Omit<SearchHit, "marks">[])
      if (!hitsByKey.has(row.key)) hitsByKey.set(row.key, { ...row, marks });
  return [...hitsByKey.values()];
}

/** Returns words of the texts that `word` misspells by one letter. */
function findCorrections(db: Database.Database, word: string, isLast: boolean): string[] {
  const candidates = db
    .prepare(
      `SELECT w.word FROM ${TRIGRAM_TABLE} AS t JOIN ${WORD_TABLE} AS w ON w.id = t.rowid
      WHERE ${TRIGRAM_TABLE} MATCH ? ORDER BY t.rank LIMIT ${MAX_CANDIDATES}`,
    )
    .pluck()
    .all(buildTrigramQuery(word, isLast)) as string[];
  return candidates
    .filter((candidate) => isMisspelling(word, candidate, isLast))
    .slice(0, MAX_CORRECTIONS);
}

export interface HighlightedText {
  readonly title: TextSegment[];
  readonly snippet: TextSegment[];
}

/** Returns a document's title and snippet with matches marked; null if it is gone. */
export function highlightHit(
  db: Database.Database,
  { row, marks }: SearchHit,
): HighlightedText | null {
  // Numbers are bound as REAL, which FTS5 ignores as a rowid.
  const texts = db
    .prepare(
      `SELECT highlight(${TEXT_TABLE}, ${TITLE}, @open, @close) AS title, highlight(${TEXT_TABLE}, ${DESCRIPTION}, @open, @close) AS description,
        snippet(${TEXT_TABLE}, ${BODY}, @open, @close, '…', ${SNIPPET_WORDS}) AS body
      FROM ${TEXT_TABLE} WHERE ${TEXT_TABLE} MATCH @marks AND rowid = CAST(@row AS INTEGER)`,
    )
    .get({ open: MATCH_OPEN, close: MATCH_CLOSE, marks, row }) as
    { title: string; description: string; body: string } | undefined;
  if (!texts) return null;
  // The description is the better summary, unless only the body has a match.
  const isOnlyInBody = !texts.description.includes(MATCH_OPEN) && texts.body.includes(MATCH_OPEN);
  return {
    title: parseSegments(texts.title),
    snippet: parseSegments(isOnlyInBody || !texts.description ? texts.body : texts.description),
  };
}
