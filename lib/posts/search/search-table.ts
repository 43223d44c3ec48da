// Maintains and queries the FTS5 table of listed posts in the local cache database. Raw SQL,
// because Prisma does not support FTS5 or manage the cache database. The table is rebuilt on
// demand.

import type Database from "better-sqlite3";
import { createHash } from "node:crypto";
import { log } from "#lib/core/log.ts";
import { isDamaged } from "#lib/core/sqlite-error.ts";
import { listPosts, type Post, type PostIndex } from "#lib/posts/post.ts";
import {
  MATCH_CLOSE,
  MATCH_OPEN,
  normalizeText,
  type TextSegment,
  parseSegments,
} from "./search-query.ts";
import { deriveTokens } from "./search-terms.ts";

/** Part of the table names. Increment it when their schema or content changes. */
const SCHEMA_VERSION = 2;
const TEXT_TABLE = `post_search_${SCHEMA_VERSION}`;
const INDEXED_TABLE = `post_search_${SCHEMA_VERSION}_held`;
const STATE_TABLE = `post_search_${SCHEMA_VERSION}_state`;

/** bm25 weights of title, topics (keywords and categories), description, body and derived tokens. */
const WEIGHTS = "10.0, 6.0, 4.0, 1.0, 1.0";
const [TITLE, DESCRIPTION, BODY] = [0, 2, 3];
/** Each step inserts for this long; with its commit it takes about 5 ms. */
const STEP_MS = 2;
/** Pages of a merge step, and the number of segments that FTS5 never merges by itself. */
const MERGE_PAGES = 32;
const MAX_SEGMENTS = 1_900;
/** The length of a snippet in words. */
const SNIPPET_WORDS = 28;

export interface SearchHit {
  readonly slug: string;
  /** Index of the query that found it; 0 is the best. */
  readonly tier: number;
}

export interface HighlightedPost {
  readonly title: TextSegment[];
  readonly snippet: TextSegment[];
}

const fingerprintCache = new WeakMap<PostIndex, { all: string; each: Map<string, string> }>();

/**
 * Returns a fingerprint per listed post, and one over all. A post's text changes when it is
 * compiled.
 */
function fingerprintPosts(index: PostIndex): { all: string; each: Map<string, string> } {
  let fingerprints = fingerprintCache.get(index);
  if (!fingerprints) {
    const each = new Map(
      listPosts(index).map((post) => [
        post.slug,
        [post.hash, post.compiled.text.length, post.compiled.compiledSource.length].join(":"),
      ]),
    );
    const all = createHash("sha256")
      .update(JSON.stringify([...each].sort()))
      .digest("hex");
    fingerprints = { all, each };
    fingerprintCache.set(index, fingerprints);
  }
  return fingerprints;
}

/** Updates the table to `index`. Does a single read if it is up to date. */
export function syncSearchTable(db: Database.Database, index: PostIndex): void {
  for (const _ of syncInSteps(db, index)) continue;
}

/**
 * Updates the table to `index` in short transactions, and yields after each. Writes only posts that
 * changed. An update that was interrupted continues with the next call.
 */
export function* syncInSteps(db: Database.Database, index: PostIndex): Generator<void> {
  const { all, each } = fingerprintPosts(index);
  try {
    const state = db.prepare(`SELECT print FROM ${STATE_TABLE}`).get() as
      { print: string } | undefined;
    if (state?.print === all) return;
  } catch (error) {
    if (isDamaged(error)) throw error;
    dropSearchTables(db); // missing or incomplete
  }
  const startedMs = performance.now();
  createTables(db);
  yield;
  const rows = db.prepare(`SELECT id, slug, print FROM ${INDEXED_TABLE}`).all() as {
    id: number;
    slug: string;
    print: string;
  }[];
  const outdated = rows.filter(({ slug, print }) => each.get(slug) !== print);
  const outdatedSlugs = new Set(outdated.map(({ slug }) => slug));
  const indexedSlugs = new Set(rows.map(({ slug }) => slug));
  const missing = listPosts(index).filter(
    ({ slug }) => !indexedSlugs.has(slug) || outdatedSlugs.has(slug),
  );
  const jobs = [
    ...outdated.map(
      ({ id }) =>
        () =>
          deletePost(db, id),
    ),
    ...missing.map((post) => () => insertPost(db, post, each.get(post.slug)!)),
  ];
  for (let next = 0; next < jobs.length;) {
    const untilMs = performance.now() + STEP_MS;
    db.transaction(() => {
      while (next < jobs.length && performance.now() < untilMs) jobs[next++]!();
    }).immediate();
    yield;
    if (mergeSegments(db)) yield;
  }
  db.prepare(`INSERT INTO ${STATE_TABLE} (print) VALUES (?)`).run(all);
  log("info", "posts.search_indexed", {
    posts: each.size,
    changed: jobs.length,
    ms: Math.round(performance.now() - startedMs),
  });
}

function createTables(db: Database.Database): void {
  db.exec(`CREATE TABLE IF NOT EXISTS ${STATE_TABLE} (print TEXT NOT NULL);
    DELETE FROM ${STATE_TABLE};
    CREATE TABLE IF NOT EXISTS ${INDEXED_TABLE} (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, print TEXT NOT NULL);
    CREATE VIRTUAL TABLE IF NOT EXISTS ${TEXT_TABLE} USING fts5(title, topics, description, body, derived, tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3');
    INSERT INTO ${TEXT_TABLE} (${TEXT_TABLE}, rank) VALUES ('automerge', 0);
    INSERT INTO ${TEXT_TABLE} (${TEXT_TABLE}, rank) VALUES ('crisismerge', ${MAX_SEGMENTS});`);
}

/**
 * Merges a few pages of the segments that the last steps added, and returns whether there were any.
 * By itself, FTS5 merges while it inserts, which takes up to 20 ms (sqlite.org/fts5.html, 6.7).
 */
function mergeSegments(db: Database.Database): boolean {
  const totalChanges = db.prepare("SELECT total_changes()").pluck();
  const before = totalChanges.get() as number;
  db.prepare(`INSERT INTO ${TEXT_TABLE} (${TEXT_TABLE}, rank) VALUES ('merge', ?)`).run(
    MERGE_PAGES,
  );
  return (totalChanges.get() as number) - before >= 2;
}

function deletePost(db: Database.Database, id: number): void {
  db.prepare(`DELETE FROM ${TEXT_TABLE} WHERE rowid = ?`).run(id);
  db.prepare(`DELETE FROM ${INDEXED_TABLE} WHERE id = ?`).run(id);
}

function insertPost(db: Database.Database, post: Post, print: string): void {
  const { lastInsertRowid } = db
    .prepare(`INSERT INTO ${INDEXED_TABLE} (slug, print) VALUES (?, ?)`)
    .run(post.slug, print);
  db.prepare(
    `INSERT INTO ${TEXT_TABLE} (rowid, title, topics, description, body, derived) VALUES (?, ?, ?, ?, ?, ?)`,
  ).run(lastInsertRowid, ...searchColumns(post));
}

function searchColumns({ frontMatter, compiled }: Post): string[] {
  const topics = [...frontMatter.categories, ...frontMatter.keywords].join(", ");
  const columns = [frontMatter.title, topics, frontMatter.description, compiled.text].map(
    normalizeText,
  );
  return [...columns, columns.map(deriveTokens).join(" ")];
}

/** Drops the tables. */
export function dropSearchTables(db: Database.Database): void {
  for (const table of [TEXT_TABLE, INDEXED_TABLE, STATE_TABLE])
    db.exec(`DROP TABLE IF EXISTS ${table}`);
}

/** Returns every post that one of `tiers` matches, best first: by tier, then bm25, then slug. */
export function querySearchTable(db: Database.Database, tiers: readonly string[]): SearchHit[] {
  const statement = db.prepare(
    `SELECT h.slug AS slug FROM ${TEXT_TABLE} JOIN ${INDEXED_TABLE} AS h ON h.id = ${TEXT_TABLE}.rowid WHERE ${TEXT_TABLE} MATCH ? ORDER BY bm25(${TEXT_TABLE}, ${WEIGHTS}), h.slug`,
  );
  const hitsBySlug = new Map<string, SearchHit>();
  for (const [tier, query] of tiers.entries()) {
    for (const { slug } of statement.all(query) as { slug: string }[]) {
      if (!hitsBySlug.has(slug)) hitsBySlug.set(slug, { slug, tier });
    }
  }
  return [...hitsBySlug.values()];
}

/**
 * Returns a post's title and snippet with matches of `query` marked; null if the query does not
 * match it.
 */
export function highlightPost(
  db: Database.Database,
  query: string,
  slug: string,
): HighlightedPost | null {
  const row = db
    .prepare(
      `SELECT highlight(${TEXT_TABLE}, ${TITLE}, @open, @close) AS title, highlight(${TEXT_TABLE}, ${DESCRIPTION}, @open, @close) AS description,
        snippet(${TEXT_TABLE}, ${BODY}, @open, @close, '…', ${SNIPPET_WORDS}) AS body
      FROM ${TEXT_TABLE} WHERE ${TEXT_TABLE} MATCH @query AND rowid = (SELECT id FROM ${INDEXED_TABLE} WHERE slug = @slug)`,
    )
    .get({ open: MATCH_OPEN, close: MATCH_CLOSE, query, slug }) as
    { title: string; description: string; body: string } | undefined;
  if (!row) return null;
  // The description is the better summary, unless only the body has a match.
  const isOnlyInBody = !row.description.includes(MATCH_OPEN) && row.body.includes(MATCH_OPEN);
  return {
    title: parseSegments(row.title),
    snippet: parseSegments(isOnlyInBody ? row.body : row.description),
  };
}
