// The full-text table of the listed posts in the local cache file. It may be dropped at any time: it is built again when asked.

import type Database from "better-sqlite3";
import { createHash } from "node:crypto";
import { log } from "../base/log.ts";
import { listPosts, type Post, type PostIndex } from "./post.ts";
import { MATCH_CLOSE, MATCH_OPEN, plainText, type Segment, segmentsOf } from "./search-query.ts";

/** In the names of the tables: raise it when their shape or what goes into them changes. */
const SCHEMA = 1;
const TEXT = `post_search_${SCHEMA}`;
const HELD = `post_search_${SCHEMA}_held`;
const STATE = `post_search_${SCHEMA}_state`;

/** bm25 weights of title, keywords and categories, description, text: a word in the title says most about a post. */
const WEIGHTS = "10.0, 6.0, 4.0, 1.0";
const [TITLE, DESCRIPTION, BODY] = [0, 2, 3];
/** Words of text around a match. */
const SNIPPET_WORDS = 28;

export interface Hit {
  readonly slug: string;
  readonly tier: number;
}

export interface Marks {
  readonly title: Segment[];
  readonly snippet: Segment[];
}

const prints = new WeakMap<PostIndex, { all: string; each: Map<string, string> }>();

/** What the table must hold for `index`: one print per listed post, and one over all. A post's text is rough until it is compiled. */
function printOf(index: PostIndex): { all: string; each: Map<string, string> } {
  let print = prints.get(index);
  if (!print) {
    const each = new Map(
      listPosts(index).map((post) => [
        post.slug,
        [post.hash, post.compiled.text.length, post.compiled.compiledSource.length].join(":"),
      ]),
    );
    const all = createHash("sha256")
      .update(JSON.stringify([...each].sort()))
      .digest("hex");
    print = { all, each };
    prints.set(index, print);
  }
  return print;
}

/** Brings the table in step with `index`: one look when it is, else only the posts that changed are written. */
export function prepareSearch(db: Database.Database, index: PostIndex): void {
  const { all, each } = printOf(index);
  try {
    const state = db.prepare(`SELECT print FROM ${STATE}`).get() as { print: string } | undefined;
    if (state?.print === all) return;
  } catch {
    dropSearch(db); // never made, or made by halves
  }
  const startedMs = performance.now();
  let changed = 0;
  db.transaction(() => {
    db.exec(`CREATE TABLE IF NOT EXISTS ${STATE} (print TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS ${HELD} (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, print TEXT NOT NULL);
      CREATE VIRTUAL TABLE IF NOT EXISTS ${TEXT} USING fts5(title, topics, description, body, tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3');`);
    const held = db.prepare(`SELECT id, slug, print FROM ${HELD}`).all() as {
      id: number;
      slug: string;
      print: string;
    }[];
    for (const { id, slug, print } of held) {
      if (each.get(slug) === print) continue;
      db.prepare(`DELETE FROM ${TEXT} WHERE rowid = ?`).run(id);
      db.prepare(`DELETE FROM ${HELD} WHERE id = ?`).run(id);
      changed += 1;
    }
    const current = new Set(
      (db.prepare(`SELECT slug FROM ${HELD}`).all() as { slug: string }[]).map(({ slug }) => slug),
    );
    for (const post of listPosts(index)) {
      if (current.has(post.slug)) continue;
      const { lastInsertRowid } = db
        .prepare(`INSERT INTO ${HELD} (slug, print) VALUES (?, ?)`)
        .run(post.slug, each.get(post.slug));
      db.prepare(
        `INSERT INTO ${TEXT} (rowid, title, topics, description, body) VALUES (?, ?, ?, ?, ?)`,
      ).run(lastInsertRowid, ...columnsOf(post));
      changed += 1;
    }
    db.exec(`DELETE FROM ${STATE}`);
    db.prepare(`INSERT INTO ${STATE} (print) VALUES (?)`).run(all);
  }).immediate();
  log("info", "posts.search_indexed", {
    posts: each.size,
    changed,
    ms: Math.round(performance.now() - startedMs),
  });
}

function columnsOf({ frontMatter, compiled }: Post): string[] {
  const topics = [...frontMatter.categories, ...frontMatter.keywords].join(", ");
  return [frontMatter.title, topics, frontMatter.description, compiled.text].map(plainText);
}

/** Takes the tables away. */
export function dropSearch(db: Database.Database): void {
  for (const table of [TEXT, HELD, STATE]) db.exec(`DROP TABLE IF EXISTS ${table}`);
}

/** Every post that one of `tiers` finds, best first: by tier, within a tier by bm25, ties by slug. */
export function searchTable(db: Database.Database, tiers: readonly string[]): Hit[] {
  const statement = db.prepare(
    `SELECT h.slug AS slug FROM ${TEXT} JOIN ${HELD} AS h ON h.id = ${TEXT}.rowid WHERE ${TEXT} MATCH ? ORDER BY bm25(${TEXT}, ${WEIGHTS}), h.slug`,
  );
  const found = new Map<string, Hit>();
  for (const [tier, query] of tiers.entries()) {
    for (const { slug } of statement.all(query) as { slug: string }[]) {
      if (!found.has(slug)) found.set(slug, { slug, tier });
    }
  }
  return [...found.values()];
}

/** The title and a snippet of a post with what `query` matches marked; null if the query does not find the post. */
export function marksOf(db: Database.Database, query: string, slug: string): Marks | null {
  const row = db
    .prepare(
      `SELECT highlight(${TEXT}, ${TITLE}, @open, @close) AS title, highlight(${TEXT}, ${DESCRIPTION}, @open, @close) AS description,
        snippet(${TEXT}, ${BODY}, @open, @close, '…', ${SNIPPET_WORDS}) AS body
      FROM ${TEXT} WHERE ${TEXT} MATCH @query AND rowid = (SELECT id FROM ${HELD} WHERE slug = @slug)`,
    )
    .get({ open: MATCH_OPEN, close: MATCH_CLOSE, query, slug }) as
    { title: string; description: string; body: string } | undefined;
  if (!row) return null;
  // The description says what the post is about: it gives way only where the words stand in the text and not in it.
  const inText = !row.description.includes(MATCH_OPEN) && row.body.includes(MATCH_OPEN);
  return { title: segmentsOf(row.title), snippet: segmentsOf(inText ? row.body : row.description) };
}
