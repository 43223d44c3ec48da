// Maintains the FTS5 tables of all documents in the local cache database. Plain SQL, because Prisma
// does not support FTS5 or manage the cache database. The tables are rebuilt on demand.

import type Database from "better-sqlite3";
import { withCacheDatabase } from "#lib/cache/cache-file.ts";
import { isDamaged } from "#lib/core/sqlite-error.ts";
import type { SearchDocument, SearchSource } from "./search-document.ts";
import { normalizeText } from "./search-query.ts";
import { deriveTerms } from "./search-terms.ts";
import { toTrigramText } from "./spelling.ts";

/** Part of the table names. Increment it when their schema or content changes. */
const NAME = "search_6";
export const TEXT_TABLE = `${NAME}_text`;
export const DOCUMENT_TABLE = `${NAME}_documents`;
/** Every indexed word, and the trigrams of those words, to correct a typo in a query. */
export const WORD_TABLE = `${NAME}_words`;
export const TRIGRAM_TABLE = `${NAME}_trigrams`;
const STATE_TABLE = `${NAME}_state`;
const OLD_TABLES = ["text", "documents", "words", "trigrams", "state"].map(
  (name) => `search_5_${name}`,
);

/**
 * A transaction inserts at most this many characters, which takes about 5 ms. A longer text is
 * several rows, each with the title.
 */
export const BATCH_CHARACTERS = 8_000;
const MAX_FIELD_CHARACTERS = 1_000;
/** The row of part n of a document is its ID × PARTS + n. */
const PARTS = 1_024;
export const documentIdOf = (column: string): string => `${column} / ${PARTS}`;
/** Pages per merge step, and a number of segments below which FTS5 does not merge by itself. */
const MERGE_PAGES = 16;
const MAX_SEGMENTS = 1_900;

interface IndexedDocument {
  readonly id: number;
  readonly key: string;
  readonly fingerprint: string;
  readonly parts: number;
}

/** Part of a transaction. */
interface Job {
  readonly characters: number;
  readonly run: (db: Database.Database) => void;
}

/**
 * Updates the tables to `source` in short transactions, and yields the size of each in characters.
 * Writes only documents that changed. An update that was interrupted continues with the next call.
 */
export async function* syncSearchTable(source: SearchSource): AsyncGenerator<number> {
  const changes = withCacheDatabase((db) => findChanges(db, source));
  if (!changes) return;
  yield 0;
  let batch: Job[] = [];
  let characters = 0;
  const commit = (): number => {
    const [jobs, size] = [batch, characters];
    [batch, characters] = [[], 0];
    withCacheDatabase((db) => db.transaction(() => jobs.forEach(({ run }) => run(db))).immediate());
    return size;
  };
  for await (const job of listJobs(source, changes)) {
    if (batch.length > 0 && characters + job.characters > BATCH_CHARACTERS) {
      yield commit();
      yield withCacheDatabase(mergeSegments);
    }
    batch.push(job);
    characters += job.characters;
  }
  if (batch.length > 0) yield commit();
  withCacheDatabase((db) =>
    db
      .prepare(`INSERT OR REPLACE INTO ${STATE_TABLE} (kind, fingerprint) VALUES (?, ?)`)
      .run(source.kind, source.fingerprint),
  );
}

interface Changes {
  readonly outdated: readonly IndexedDocument[];
  readonly missing: readonly SearchDocument[];
}

/** Returns what differs from the tables, or null if they are up to date. */
function findChanges(db: Database.Database, source: SearchSource): Changes | null {
  if (isUpToDate(db, source)) return null;
  createTables(db);
  db.prepare(`DELETE FROM ${STATE_TABLE} WHERE kind = ?`).run(source.kind);
  const indexed = db
    .prepare(`SELECT id, key, fingerprint, parts FROM ${DOCUMENT_TABLE} WHERE kind = ?`)
    .all(source.kind) as IndexedDocument[];
  const isCurrent = ({ key, fingerprint }: IndexedDocument) =>
    source.documents.get(key)?.fingerprint === fingerprint;
  const current = new Set(indexed.filter(isCurrent).map(({ key }) => key));
  return {
    outdated: indexed.filter((row) => !isCurrent(row)),
    missing: [...source.documents.values()].filter(({ key }) => !current.has(key)),
  };
}

/** Returns whether the tables have exactly the documents of `source`. Drops incomplete tables. */
export function isUpToDate(db: Database.Database, { kind, fingerprint }: SearchSource): boolean {
  try {
    return (
      db.prepare(`SELECT fingerprint FROM ${STATE_TABLE} WHERE kind = ?`).pluck().get(kind) ===
      fingerprint
    );
  } catch (error) {
    if (isDamaged(error)) throw error;
    dropSearchTables(db);
    return false;
  }
}

async function* listJobs(
  source: SearchSource,
  { outdated, missing }: Changes,
): AsyncGenerator<Job> {
  for (const { id, parts } of outdated)
    for (let part = parts - 1; part >= 0; part--)
      // From the last part, so that an interrupted deletion is repeated.
      yield { characters: BATCH_CHARACTERS / 2, run: (db) => deletePart(db, id, part) };
  const knownWords = new Set<string>();
  for (const document of missing) {
    const texts = splitText(normalizeText(separateBlocks(await source.loadBody(document))));
    for (const [part, text] of texts.entries()) {
      const isLast = part === texts.length - 1;
      yield {
        characters: Math.max(text.length, 200),
        run: (db) => insertPart(db, document, { part, text, isLast, knownWords }),
      };
    }
  }
}

/**
 * Puts a dot between lines, unless the first ends in a sentence's punctuation. In an excerpt, a
 * heading or list item must not run into the next sentence.
 */
const separateBlocks = (text: string): string =>
  text.replace(/(?<!\s|\p{Terminal_Punctuation}["'\p{Pe}\p{Pf}]*)\s*\n\s*/gu, " · ");

/** Splits a text between words into parts of at most BATCH_CHARACTERS; one if it is empty. */
export function splitText(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  while (text.length - start > BATCH_CHARACTERS && parts.length < PARTS - 1) {
    const space = text.lastIndexOf(" ", start + BATCH_CHARACTERS);
    const end = space > start ? space : start + BATCH_CHARACTERS;
    parts.push(text.slice(start, end).trim());
    start = end;
  }
  return [...parts, text.slice(start, start + BATCH_CHARACTERS).trim()];
}

interface Part {
  readonly part: number;
  readonly text: string;
  readonly isLast: boolean;
  /** Words that this build has added to the vocabulary. */
  readonly knownWords: Set<string>;
}

function insertPart(
  db: Database.Database,
  document: SearchDocument,
  { part, text, isLast, knownWords }: Part,
): void {
  if (part === 0)
    db.prepare(
      `INSERT INTO ${DOCUMENT_TABLE} (kind, key, fingerprint, parts) VALUES (?, ?, '', 0)`,
    ).run(document.kind, document.key);
  // Without a fingerprint, the document is incomplete and not found.
  const id = db
    .prepare(`UPDATE ${DOCUMENT_TABLE} SET parts = ?, fingerprint = ? WHERE key = ? RETURNING id`)
    .pluck()
    .get(part + 1, isLast ? document.fingerprint : "", document.key) as number | undefined;
  if (id === undefined) return; // the file was recreated in the meantime
  const [title, topics, description] = [document.title, document.topics, document.description].map(
    (field) => normalizeText(field.slice(0, MAX_FIELD_CHARACTERS)),
  ) as [string, string, string];
  const texts = [title, topics, description, text];
  const derived = texts.map(deriveTerms);
  db.prepare(
    `INSERT INTO ${TEXT_TABLE} (rowid, title, topics, description, body, titleTerms, terms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    id * PARTS + part,
    ...texts,
    derived[0]!.tokens,
    derived.map(({ tokens }) => tokens).join(" "),
  );
  const insertWord = db.prepare(`INSERT OR IGNORE INTO ${WORD_TABLE} (word) VALUES (?)`);
  const insertTrigrams = db.prepare(`INSERT INTO ${TRIGRAM_TABLE} (rowid, word) VALUES (?, ?)`);
  // Words stay when their text is deleted, because a correction must match a text anyway.
  for (const { vocabulary } of derived)
    for (const word of vocabulary) {
      if (knownWords.has(word)) continue;
      const { changes, lastInsertRowid } = insertWord.run(word);
      if (changes > 0) insertTrigrams.run(lastInsertRowid, toTrigramText(word));
      knownWords.add(word);
    }
}

function deletePart(db: Database.Database, id: number, part: number): void {
  db.prepare(`DELETE FROM ${TEXT_TABLE} WHERE rowid = ?`).run(id * PARTS + part);
  if (part === 0) db.prepare(`DELETE FROM ${DOCUMENT_TABLE} WHERE id = ?`).run(id);
  else
    db.prepare(`UPDATE ${DOCUMENT_TABLE} SET parts = ?, fingerprint = '' WHERE id = ?`).run(
      part,
      id,
    );
}

function createTables(db: Database.Database): void {
  for (const table of OLD_TABLES) db.exec(`DROP TABLE IF EXISTS ${table}`);
  db.exec(`CREATE TABLE IF NOT EXISTS ${STATE_TABLE} (kind TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS ${DOCUMENT_TABLE} (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, parts INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS ${WORD_TABLE} (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
    CREATE VIRTUAL TABLE IF NOT EXISTS ${TEXT_TABLE} USING fts5(title, topics, description, body, titleTerms, terms, tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3');
    CREATE VIRTUAL TABLE IF NOT EXISTS ${TRIGRAM_TABLE} USING fts5(word, tokenize = trigram, content = '', detail = none);`);
  for (const table of [TEXT_TABLE, TRIGRAM_TABLE])
    db.exec(`INSERT INTO ${table} (${table}, rank) VALUES ('automerge', 0);
      INSERT INTO ${table} (${table}, rank) VALUES ('crisismerge', ${MAX_SEGMENTS});`);
}

/**
 * Merges a few pages of the segments that a transaction added. By itself, FTS5 merges while it
 * inserts, which takes up to 20 ms (sqlite.org/fts5.html, 6.7).
 */
function mergeSegments(db: Database.Database): 0 {
  for (const table of [TEXT_TABLE, TRIGRAM_TABLE])
    db.prepare(`INSERT INTO ${table} (${table}, rank) VALUES ('merge', ?)`).run(MERGE_PAGES);
  return 0;
}

/** Drops the tables. */
export function dropSearchTables(db: Database.Database): void {
  for (const table of [TEXT_TABLE, TRIGRAM_TABLE, DOCUMENT_TABLE, WORD_TABLE, STATE_TABLE])
    db.exec(`DROP TABLE IF EXISTS ${table}`);
}
